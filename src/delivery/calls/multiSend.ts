import type { RecordMetadata } from 'kafkajs'
import { type FailedRecords, SendError } from '../../errors/index.js'
import type { Batch } from '../batch/batch.js'
import type { AcknowledgedBatch } from '../owners/acknowledgedBatch.js'
import type { AttemptLog } from '../owners/attemptLog.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { CallLinks } from '../waiting/callLinks.js'
import { partitionOf, type SendCompletion } from '../waiting/sendCompletion.js'
import { type CallWatch, logAttemptsOf } from './callWatch.js'

interface Failure extends FailedRecords {
  readonly messageIndexes: number[]
}

/** The records of one call that travel in one batch. */
class MultiSendPart implements RecordCompletion {
  /** How many records it has. */
  size = 0
  /** The index of the first message; the others follow it one by one, unless `indexes` says otherwise. */
  private from = 0
  private indexes: number[] | undefined
  result: RecordMetadata | undefined
  private resultFirst = 0
  readonly call: MultiSend

  constructor(call: MultiSend) {
    this.call = call
  }

  add(index: number): void {
    if (this.indexes !== undefined) this.indexes.push(index)
    else if (this.size === 0) this.from = index
    else if (index !== this.from + this.size) this.indexes = [...this.indexesOf(0, this.size), index]
    this.size++
  }

  private indexesOf(first: number, count: number): number[] {
    const { indexes, from } = this
    if (indexes !== undefined) return indexes.slice(first, first + count)
    return Array.from({ length: count }, (_, i) => from + first + i)
  }

  acknowledged(batch: AcknowledgedBatch, first: number, count: number, index: number): void {
    if (this.result === undefined || first < this.resultFirst) {
      this.result = batch.metadataAt(index)
      this.resultFirst = first
    }
    this.call.watch?.ended(batch.topic, this.indexesOf(first, count), batch.attemptLog)
    this.call.delivered(count)
  }

  written(count: number): void {
    this.call.delivered(count)
  }

  failed(
    error: Error,
    topic: string,
    partition: number,
    first: number,
    count: number,
    log?: AttemptLog,
  ): void {
    const messageIndexes = this.indexesOf(first, count)
    this.call.watch?.ended(topic, messageIndexes, log)
    this.call.fail({ topic, partition, messageIndexes, error })
  }
}

/** A call of several messages: settles when each of them has ended. */
export class MultiSend implements SendCompletion {
  private readonly resolve: (result: RecordMetadata[]) => void
  private readonly reject: (error: Error) => void
  private pending: number
  private succeeded = 0
  private readonly parts = new Map<Batch, MultiSendPart>()
  private lastBatch: Batch | undefined
  private lastPart: MultiSendPart | undefined
  private readonly failures: Failure[] = []

  readonly links: CallLinks | undefined
  readonly watch: CallWatch | undefined

  /**
   * @param records how many messages the call has, over all its topics
   * @param links of a call that can be withdrawn
   * @param watch of a call that is watched
   */
  constructor(
    records: number,
    resolve: (result: RecordMetadata[]) => void,
    reject: (error: Error) => void,
    links?: CallLinks,
    watch?: CallWatch,
  ) {
    this.watch = watch
    this.pending = records
    this.resolve = resolve
    this.reject = reject
    this.links = links
  }

  ownerIn(batch: Batch): RecordCompletion {
    if (batch === this.lastBatch) return this.lastPart!
    let part = this.parts.get(batch)
    if (part === undefined) {
      part = new MultiSendPart(this)
      this.parts.set(batch, part)
      if (this.watch !== undefined) logAttemptsOf(batch)
    }
    this.lastBatch = batch
    this.lastPart = part
    return part
  }

  placed(owner: RecordCompletion | null, index: number): void {
    ;(owner as MultiSendPart).add(index)
    const queue = this.watch === undefined ? undefined : this.lastBatch?.queue
    if (queue !== undefined) this.watch?.placed(queue.topic, index, queue.partition)
  }

  failedBefore(error: Error, topic: string, from: number, to: number): void {
    const messageIndexes = Array.from({ length: to - from }, (_, i) => from + i)
    this.fail({ topic, partition: partitionOf(error), messageIndexes, error })
  }

  fail(failure: Failure): void {
    const last = this.failures.at(-1)
    const { error, topic, partition, messageIndexes } = failure
    // Records of one refusal come in pieces where others stand between them.
    if (last?.error === error && last.topic === topic && last.partition === partition)
      for (const index of messageIndexes) last.messageIndexes.push(index)
    else this.failures.push(failure)
    this.ended(messageIndexes.length)
  }

  /** Acknowledged, or written with acks 0. */
  delivered(records: number): void {
    this.succeeded += records
    this.ended(records)
  }

  private ended(records: number): void {
    this.pending -= records
    if (this.pending > 0) return
    const acknowledged = this.results()
    const [first, ...others] = this.failures
    if (first === undefined) this.resolve(acknowledged)
    else if (this.succeeded === 0 && others.every(each => each.error === first.error))
      this.reject(first.error)
    else this.reject(new SendError(acknowledged, this.failures))
  }

  /** One entry per topic-partition: that of the call's first record there. */
  private results(): RecordMetadata[] {
    const seen = new Set<string>()
    const results: RecordMetadata[] = []
    for (const { result } of this.parts.values()) {
      if (result === undefined) continue
      const place = `${result.partition} ${result.topicName}`
      if (seen.has(place)) continue
      seen.add(place)
      results.push(result)
    }
    return results
  }
}
