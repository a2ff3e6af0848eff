import type { Message } from 'kafkajs'
import { recordBodyBytes, writeRecord } from '../../protocol/records/encode.js'
import { type RecordMeasure, uvarintBytes } from '../../protocol/records/measure.js'
import { copyRecords } from '../../protocol/records/rewrite.js'
import type { BufferPool } from '../buffer/bufferPool.js'
import type { ProducerIdentity } from '../idempotence/sequences.js'
import type { AttemptLog } from '../owners/attemptLog.js'
import { OwnerRuns } from '../owners/ownerRuns.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import { SharedPromise } from '../owners/sharedPromise.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { DeliveryClass } from './deliveryClass.js'
import { Expiring } from './expiryList.js'
import type { FlushBarrier } from './flushBarriers.js'
import { WithdrawnRecords } from './withdrawnRecords.js'

const TRANSACTIONAL = 0x10

/** What a batch's buffer grows by at most in one step. The buffers of a batch then hold at most so many times its records. */
const MOST_GROWTH = 8

export type BatchState =
  /** Takes records. */
  | 'open'
  /** Takes no more, and has not been in a request. */
  | 'closed'
  | 'inFlight'
  /** Was in a request, and is to be sent again. */
  | 'waiting'
  /** Acknowledged or rejected. */
  | 'ended'

/** Beyond this a record's timestamp delta would not be exact in a varint written from a double. ms */
const MAX_TIMESTAMP_DELTA = 2 ** 50

/** The records of one partition that travel together, from the first append until each of them has ended. */
export class Batch extends Expiring {
  readonly deliveryClass: DeliveryClass
  readonly createdAt: number
  /** It goes as it is, without waiting for more records. */
  isDue = false
  state: BatchState = 'open'

  /** The records, encoded and not compressed. */
  body: Buffer
  bodyBytes = 0
  /** How large it becomes if it is like the partition's last one. */
  expectedBytes = 0
  recordCount = 0
  baseTimestamp = 0
  maxTimestamp = 0
  /** What `bufferBytes` counts for these records. bytes */
  chargedBytes = 0
  chargedRecords = 0
  isRecycled = false

  /** What goes on the wire in place of `body`, once the batch is closed and compressed. */
  compressed: Buffer | undefined
  compressing = false

  /** To which its bytes are charged. */
  queue: PartitionQueue | undefined

  owners = new OwnerRuns()
  /** Records whose callers have been told that they are not sent; they are taken out before the batch is. */
  private withdrawn: WithdrawnRecords | undefined
  private sharedPromise: SharedPromise | undefined

  identity: ProducerIdentity | undefined
  baseSequence = -1
  /** The checksum under `identity` and `baseSequence`; taken anew when they change. */
  checksum = -1

  /** Requests that carried it. */
  attempts = 0
  /** Of a batch some of whose records are watched. */
  attemptLog: AttemptLog | undefined
  /** Those of them that failed by no fault of its own, and do not count against the option `retry`. */
  excusedAttempts = 0
  /** Some attempt may have been written although it was not answered so. */
  outcomeUnknown = false
  /** Its leader has forgotten it: what became of it shows in the answers to those behind it, which go first. */
  isSetAside = false
  firstCause: Error | undefined
  lastCause: Error | undefined
  /** Requests whose buffers a socket may still be reading: until it is 0, `body` must neither change nor be reused. */
  pendingWrites = 0
  /** Ended by its deadline while in flight: the answer still decides what becomes of the sequence. */
  expiredInFlight = false
  /** A resend waits until this moment. ms on the clock of `performance.now()` */
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
    return this.withdrawn === undefined ? this.recordCount : this.withdrawn.appended(this.recordCount)
  }

  /** How many of its records are withdrawn and still in its body. */
  get withdrawnCount(): number {
    return this.withdrawn === undefined ? 0 : this.withdrawn.count
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

  /**
   * By what is expected, but never to more than so many times what the batch holds: memory is counted by records. The last step is
   * the longest one, so that little is copied.
   */
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
    return this.compressed === undefined
      ? this.body.copy(target, at, 0, this.bodyBytes)
      : this.compressed.copy(target, at)
  }

  /** The batch's attributes: its compression (bits 0 to 2) and whether it is part of a transaction (bit 4). */
  get attributes(): number {
    const codec = this.compressed === undefined ? 0 : (this.deliveryClass.compressor?.attributes ?? 0)
    return codec | (this.deliveryClass.transactional ? TRANSACTIONAL : 0)
  }

  get wireBytes(): number {
    return this.compressed === undefined ? this.bodyBytes : this.compressed.length
  }

  identify(identity: ProducerIdentity, baseSequence: number): void {
    this.identity = identity
    this.baseSequence = baseSequence
    this.checksum = -1
  }

  forgetIdentity(): void {
    this.identity = undefined
    this.baseSequence = -1
    this.checksum = -1
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
  leaveGenerations(): void {
    this.flushBarrier?.done()
    this.flushBarrier = undefined
    for (const flushBarrier of this.joined ?? []) flushBarrier.done()
    this.joined = undefined
  }
}
