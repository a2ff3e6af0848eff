import type { RecordMetadata } from 'kafkajs'
import type { ErrorContext } from '../errors/bases.js'
import { type FailedRecords, SendError } from '../errors/index.js'
import type { Batch } from './batch.js'
import type { AcknowledgedBatch, RecordOwner } from './owner.js'

/** Messages that were handed over together, and how their caller learns what became of them. */
export interface Call {
  /** Who waits for a record in this batch; `null` when nobody does. */
  ownerIn(batch: Batch): RecordOwner | null
  /** The message at this index of the topic's messages was admitted to the batch for which the owner was asked last. */
  placed(owner: RecordOwner | null, index: number): void
  owns(owner: RecordOwner | null): boolean
  /** Messages that failed before they were in a batch; `to` is exclusive. */
  failedBefore(error: Error, topic: string, from: number, to: number): void
}

/** `send` with one message: the common case, with nothing to gather. */
export class SingleCall implements Call, RecordOwner {
  readonly size = 0
  private readonly resolve: (result: RecordMetadata[]) => void
  private readonly reject: (error: Error) => void

  constructor(resolve: (result: RecordMetadata[]) => void, reject: (error: Error) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  ownerIn(): RecordOwner {
    return this
  }

  placed(): void {}

  owns(owner: RecordOwner | null): boolean {
    return owner === this
  }

  failedBefore(error: Error): void {
    this.reject(error)
  }

  acknowledged(batch: AcknowledgedBatch, _first: number, _count: number, index: number): void {
    this.resolve([batch.metadataAt(index)])
  }

  written(): void {
    this.resolve([])
  }

  failed(error: Error): void {
    this.reject(error)
  }
}

interface Failure extends FailedRecords {
  readonly messageIndexes: number[]
}

/** The records of one call that travel in one batch. */
class CallPart implements RecordOwner {
  readonly messageIndexes: number[] = []
  result: RecordMetadata | undefined
  private resultFirst = 0
  readonly call: MultiCall

  constructor(call: MultiCall) {
    this.call = call
  }

  get size(): number {
    return this.messageIndexes.length
  }

  acknowledged(batch: AcknowledgedBatch, first: number, count: number, index: number): void {
    if (this.result === undefined || first < this.resultFirst) {
      this.result = batch.metadataAt(index)
      this.resultFirst = first
    }
    this.call.delivered(count)
  }

  written(count: number): void {
    this.call.delivered(count)
  }

  failed(error: Error, topic: string, partition: number, first: number, count: number): void {
    const messageIndexes = this.messageIndexes.slice(first, first + count)
    this.call.fail({ topic, partition, messageIndexes, error })
  }
}

/** A call of several messages: settles when each of them has ended. */
export class MultiCall implements Call {
  private readonly resolve: (result: RecordMetadata[]) => void
  private readonly reject: (error: Error) => void
  private pending: number
  private succeeded = 0
  private readonly parts = new Map<Batch, CallPart>()
  private lastBatch: Batch | undefined
  private lastPart: CallPart | undefined
  private readonly failures: Failure[] = []

  /** @param records how many messages the call has, over all its topics */
  constructor(records: number, resolve: (result: RecordMetadata[]) => void, reject: (error: Error) => void) {
    this.pending = records
    this.resolve = resolve
    this.reject = reject
  }

  ownerIn(batch: Batch): RecordOwner {
    if (batch === this.lastBatch) return this.lastPart!
    let part = this.parts.get(batch)
    if (part === undefined) {
      part = new CallPart(this)
      this.parts.set(batch, part)
    }
    this.lastBatch = batch
    this.lastPart = part
    return part
  }

  placed(owner: RecordOwner | null, index: number): void {
    ;(owner as CallPart).messageIndexes.push(index)
  }

  owns(owner: RecordOwner | null): boolean {
    return owner instanceof CallPart && owner.call === this
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

  /** One entry a topic-partition: that of the call's first record there. */
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

/** A record that was not admitted has one only where it was pinned to it; -1: none. */
const partitionOf = (error: ErrorContext): number => error.partition ?? -1

export type OnDelivery = (
  error: Error | null,
  delivered: { readonly topic: string; readonly partition: number; readonly offset: string | undefined },
) => void

/** Calls users' callbacks, whatever they throw. */
export interface DeliveryTeller {
  tell(onDelivery: OnDelivery, error: Error | null, delivered: Parameters<OnDelivery>[1]): void
}

/** `enqueue` with a callback. */
export class EnqueuedRecord implements Call, RecordOwner {
  readonly size = 0
  private readonly topic: string
  private readonly onDelivery: OnDelivery
  private readonly teller: DeliveryTeller

  constructor(topic: string, onDelivery: OnDelivery, teller: DeliveryTeller) {
    this.topic = topic
    this.onDelivery = onDelivery
    this.teller = teller
  }

  private tell(error: Error | null, topic: string, partition: number, offset: string | undefined): void {
    this.teller.tell(this.onDelivery, error, { topic, partition, offset })
  }

  ownerIn(): RecordOwner {
    return this
  }

  placed(): void {}

  owns(owner: RecordOwner | null): boolean {
    return owner === this
  }

  failedBefore(error: Error): void {
    this.tell(error, this.topic, partitionOf(error), undefined)
  }

  acknowledged(batch: AcknowledgedBatch, _first: number, _count: number, index: number): void {
    this.tell(null, batch.topic, batch.partition, batch.offsetAt(index))
  }

  written(): void {
    this.tell(null, this.topic, -1, undefined)
  }

  failed(error: Error, topic: string, partition: number): void {
    this.tell(error, topic, partition, undefined)
  }
}

/** `enqueue` without a callback: nobody waits, and a failure goes to the option `onDeliveryError`. */
export class UnownedCall implements Call {
  private readonly onError: (error: Error, topic: string) => void

  constructor(onError: (error: Error, topic: string) => void) {
    this.onError = onError
  }

  ownerIn(): null {
    return null
  }

  placed(): void {}

  owns(): boolean {
    return false
  }

  failedBefore(error: Error, topic: string): void {
    this.onError(error, topic)
  }
}
