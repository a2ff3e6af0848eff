import type { Message } from 'kafkajs'
import { recordBodyBytes, writeRecord } from '../../protocol/records/encode.js'
import { type RecordMeasure, uvarintBytes } from '../../protocol/records/measure.js'
import { copyRecords } from '../../protocol/records/rewrite.js'
import type { BufferPool } from '../buffer/bufferPool.js'
import type { Destination } from '../buffer/shares.js'
import type { AttemptLog } from '../owners/attemptLog.js'
import { OwnerRuns } from '../owners/ownerRuns.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import { SharedPromise } from '../owners/sharedPromise.js'
import type { BatchState } from './batchState.js'
import type { DeliveryClass } from './deliveryClass.js'
import { Expiring } from './expiryList.js'
import type { FlushBarrier } from './flushBarriers.js'
import type { ProducerIdentity } from './producerIdentity.js'
import { WithdrawnRecords } from './withdrawnRecords.js'

/** What a batch's buffer grows by at most in one step. The buffers of a batch then hold at most so many times its records. */
const MOST_GROWTH = 8

/** Beyond this a record's timestamp delta would not be exact in a varint written from a double. ms */
const MAX_TIMESTAMP_DELTA = 2 ** 50

/** The partition's queue, as far as a batch knows it. */
export interface BatchHolder extends Destination {
  readonly topic: string
  readonly partition: number
  readonly batches: readonly Batch[]
  readonly isGivenUp: boolean
  readonly sender: { readonly nodeId: number } | undefined
  remove(batch: Batch): void
  wake(): void
}

/** The records of one partition that travel together, from the first append until each of them has ended. */
export class Batch extends Expiring {
  readonly deliveryClass: DeliveryClass
  readonly createdAt: number
  // Its records. Written by the batch alone, and by `extractRecords` for a part that it makes.
  /** The records, encoded and not compressed. */
  body: Buffer
  bodyBytes = 0
  recordCount = 0
  baseTimestamp = 0
  maxTimestamp = 0
  owners = new OwnerRuns()
  /** What `bufferBytes` counts for these records. bytes */
  chargedBytes = 0
  chargedRecords = 0
  /** Records whose callers have been told that they are not sent; they are taken out before the batch is. */
  private withdrawn: WithdrawnRecords | undefined
  private sharedPromise: SharedPromise | undefined

  // Where it is. Written by its queue alone, which decides what may be in flight; `state` also by the engine, which ends it.
  /** To which its bytes are charged. Kept after the batch has left it: sockets may still read its buffer. */
  queue: BatchHolder | undefined
  state: BatchState = 'open'
  /** It is sent as it is, without waiting for more records: a flush waits for it. */
  isDue = false
  /** Requests that carried it. */
  attempts = 0

  // Its buffers. They may be given back once it has ended and nobody reads them.
  /** How large it becomes if it is like the partition's last one. Written by the engine, which makes it. */
  expectedBytes = 0
  /** What goes on the wire in place of `body`, once the batch is closed and compressed. Written by BatchCompression. */
  compressed: Buffer | undefined
  /** Its codec is at work, which may take a turn of the event loop. Written by BatchCompression. */
  compressing = false
  /** Sockets and codecs that may still read `body`, counted by who hands it to them: until it is 0, it must neither change nor be reused. */
  pendingWrites = 0
  /** Its buffer was given back, which must happen once. Written by the engine. */
  isRecycled = false

  identity: ProducerIdentity | undefined
  baseSequence = -1
  /** The checksum under `identity` and `baseSequence`; taken anew when they change. Written by `produceRequest.ts`, which lays out the header. */
  checksum = -1
  /** Its leader has forgotten it: its outcome shows in the answers to later batches, which are sent first. Written by PartitionProducerState. */
  isSetAside = false

  /** Where some of its records are watched. Written by `callWatch.ts`. */
  attemptLog: AttemptLog | undefined
  /** Attempts that failed by no fault of its own, and do not count against the option `retry`. */
  excusedAttempts = 0
  /** Some attempt may have been written although it was not answered so. */
  outcomeUnknown = false
  firstCause: Error | undefined
  lastCause: Error | undefined
  /** Ended by its deadline while in flight: the answer still decides what becomes of the sequence. Written by BatchCompletion. */
  expiredInFlight = false
  /** A retry waits until then; ms on the clock of `performance.now()`. Set by BatchRetries; 0 where its reason is gone: SenderPool, StartingLeaders. */
  retryAt = 0
  /** When its delivery time is over; `deadline` may be an earlier step. ms on the clock of `performance.now()` */
  readonly endsAt: number
  /** That of its first record; undefined once no flush waits for it any more. */
  private flushBarrier: FlushBarrier | undefined
  private joined: FlushBarrier[] | undefined

  readonly onExpire: (batch: Batch) => void

  constructor(
    deliveryClass: DeliveryClass,
    body: Buffer,
    createdAt: number,
    deadline: number,
    flushBarrier: FlushBarrier,
    onExpire: (batch: Batch) => void,
  ) {
    super()
    this.deliveryClass = deliveryClass
    this.body = body
    this.createdAt = createdAt
    this.deadline = deadline
    this.endsAt = deadline
    this.flushBarrier = flushBarrier
    this.onExpire = onExpire
    flushBarrier.add()
  }

  override expire(): number {
    const { recordCount } = this
    this.onExpire(this)
    return recordCount
  }

  /** How many records were ever appended. */
  get appended(): number {
    return this.withdrawn?.appended(this.recordCount) ?? this.recordCount
  }

  /** How many of its records are withdrawn and still in its body. */
  get withdrawnCount(): number {
    return this.withdrawn?.count ?? 0
  }

  /** @param positions where the records stood when they were appended */
  withdrawRecords(positions: readonly number[]): void {
    this.withdrawn ??= new WithdrawnRecords()
    this.withdrawn.add(positions)
  }

  /**
   * Takes the withdrawn records out of a batch that is in no request. A codec may still read the former body.
   *
   * @returns the bytes and records that the buffer counts no more
   */
  dropWithdrawn(pool: BufferPool): { readonly bytes: number; readonly records: number } {
    const { withdrawn, recordCount } = this
    if (withdrawn === undefined || withdrawn.count === 0) return { bytes: 0, records: 0 }
    const records = withdrawn.count
    const bytes = Math.floor((this.chargedBytes * records) / recordCount)
    const isKept = withdrawn.takeOut(recordCount)
    const body = copyRecords(this.body.subarray(0, this.bodyBytes), recordCount, isKept)
    this.bodyBytes = body.length
    if (this.pendingWrites === 0) pool.give(this.body)
    this.body = body
    this.compressed = undefined
    this.compressing = false
    this.keepOwners(isKept)
    this.chargedBytes -= bytes
    this.chargedRecords -= records
    return { bytes, records }
  }

  /** It ends unsent: the callers of the withdrawn records have been told. */
  forgetWithdrawn(): void {
    if (this.withdrawnCount > 0) this.keepOwners(this.withdrawn!.takeOut(this.recordCount))
  }

  private keepOwners(isKept: (index: number) => boolean): void {
    const { owners, records } = this.owners.kept(isKept)
    this.owners = owners
    this.recordCount = records
  }

  takes(deliveryClass: DeliveryClass): boolean {
    return this.state === 'open' && this.deliveryClass === deliveryClass
  }

  /**
   * Encodes a record behind the others.
   *
   * @returns false when it does not fit within the limits; a first record always fits
   */
  append(
    message: Message,
    measure: RecordMeasure,
    timestamp: number,
    chargedBytes: number,
    owner: RecordCompletion | null,
    limits: { readonly bytes: number; readonly records: number },
    pool: BufferPool,
  ): boolean {
    const count = this.recordCount
    if (count === 0) {
      this.baseTimestamp = timestamp
      this.maxTimestamp = timestamp
    }
    const timestampDelta = timestamp - this.baseTimestamp
    const bytes = recordBodyBytes(measure, timestampDelta, count)
    const at = this.bodyBytes
    const end = at + uvarintBytes(bytes * 2) + bytes
    if (count > 0) {
      if (end > limits.bytes || count >= limits.records) return false
      if (timestampDelta > MAX_TIMESTAMP_DELTA || timestampDelta < -MAX_TIMESTAMP_DELTA) return false
    }
    if (end > this.body.length) this.grow(end, pool)
    this.bodyBytes = writeRecord(this.body, at, bytes, timestampDelta, count, message, measure)
    this.recordCount = count + 1
    this.withdrawn?.noteAppended(count)
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
    this.chargedBytes += chargedBytes
    this.chargedRecords++
    this.owners.add(owner, owner === null ? 0 : owner.size)
    return true
  }

  /** The owner of this batch's single-message sends. */
  get promised(): SharedPromise {
    this.sharedPromise ??= new SharedPromise()
    return this.sharedPromise
  }

  /** By what is expected, but never to more than MOST_GROWTH times what it holds: memory is counted by records. The last step is the longest. */
  private grow(bytes: number, pool: BufferPool): void {
    const { expectedBytes, body } = this
    const most = body.length * MOST_GROWTH
    const goal =
      most >= expectedBytes ? expectedBytes : Math.min(most, Math.ceil(expectedBytes / MOST_GROWTH))
    const grown = pool.take(Math.max(bytes, body.length * 2, goal))
    this.body.copy(grown, 0, 0, this.bodyBytes)
    pool.give(this.body)
    this.body = grown
  }

  /** The bytes that follow the batch's header on the wire. */
  get wireBody(): Buffer {
    return this.compressed ?? this.body.subarray(0, this.bodyBytes)
  }

  /** @returns how many bytes it copied */
  copyWireBody(target: Buffer, at: number): number {
    const { compressed } = this
    return compressed === undefined
      ? this.body.copy(target, at, 0, this.bodyBytes)
      : compressed.copy(target, at)
  }

  get wireBytes(): number {
    return this.compressed === undefined ? this.bodyBytes : this.compressed.length
  }

  identify(identity: ProducerIdentity | undefined, baseSequence: number): void {
    this.identity = identity
    this.baseSequence = baseSequence
    this.checksum = -1
  }

  forgetIdentity(): void {
    this.identify(undefined, -1)
  }

  /** An attempt may have been written although it was not answered so. */
  noteUnknownOutcome(): void {
    this.outcomeUnknown = true
  }

  /** The last attempt failed by no fault of its own. */
  excuseAttempt(): void {
    this.excusedAttempts++
  }

  noteCause(cause: Error): void {
    this.firstCause ??= cause
    this.lastCause = cause
  }

  /** The flushes that wait for it. */
  get flushBarriers(): readonly FlushBarrier[] {
    const { flushBarrier, joined = [] } = this
    return flushBarrier === undefined ? joined : [flushBarrier, ...joined]
  }

  /** A `flush` of that flush barrier waits for this batch too. */
  join(flushBarrier: FlushBarrier): void {
    if (flushBarrier === this.flushBarrier || this.joined?.includes(flushBarrier)) return
    this.joined ??= []
    this.joined.push(flushBarrier)
    flushBarrier.add()
  }

  /** Its records have ended: no flush waits for it any more. */
  leaveFlushBarriers(): void {
    this.flushBarrier?.done()
    this.flushBarrier = undefined
    for (const flushBarrier of this.joined ?? []) flushBarrier.done()
    this.joined = undefined
  }
}
