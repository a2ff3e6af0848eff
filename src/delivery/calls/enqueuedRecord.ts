import type { Batch } from '../batch/batch.js'
import type { AcknowledgedBatch } from '../owners/acknowledgedBatch.js'
import type { AttemptLog } from '../owners/attemptLog.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { CallLinks } from '../waiting/callLinks.js'
import { partitionOf, type SendCompletion } from '../waiting/sendCompletion.js'
import { type CallWatch, logAttemptsOf } from './callWatch.js'

/**
 * Called once with the outcome of an enqueued record: `error` is null where it was acknowledged. `partition` is -1 where none was chosen, and
 * with `acks: 0`, where `offset` is undefined too. What it throws is logged.
 */
export type OnDelivery = (
  error: Error | null,
  delivered: { readonly topic: string; readonly partition: number; readonly offset: string | undefined },
) => void

/** Calls users' callbacks, whatever they throw. */
export interface DeliveryTeller {
  tell(onDelivery: OnDelivery, error: Error | null, delivered: Parameters<OnDelivery>[1]): void
}

/** The index of a record that is a call of its own. */
const ONLY = [0]

/** `enqueue` with a callback. */
export class EnqueuedRecord implements SendCompletion, RecordCompletion {
  private readonly topic: string
  private readonly onDelivery: OnDelivery
  private readonly teller: DeliveryTeller

  constructor(topic: string, onDelivery: OnDelivery, teller: DeliveryTeller) {
    this.topic = topic
    this.onDelivery = onDelivery
    this.teller = teller
  }

  // No fields: there is one of these for each record that has not ended.
  get size(): number {
    return 0
  }

  get links(): CallLinks | undefined {
    return undefined
  }

  /** Of a record that is watched. */
  protected get watch(): CallWatch | undefined {
    return undefined
  }

  private tell(error: Error | null, topic: string, partition: number, offset: string | undefined): void {
    this.teller.tell(this.onDelivery, error, { topic, partition, offset })
  }

  ownerIn(batch?: Batch): RecordCompletion {
    const { watch } = this
    if (watch !== undefined && batch?.queue !== undefined) {
      logAttemptsOf(batch)
      watch.placed(this.topic, 0, batch.queue.partition)
    }
    return this
  }

  placed(): void {}

  failedBefore(error: Error): void {
    this.tell(error, this.topic, partitionOf(error), undefined)
  }

  acknowledged(batch: AcknowledgedBatch, _first: number, _count: number, index: number): void {
    this.watch?.ended(batch.topic, ONLY, batch.attemptLog)
    this.tell(null, batch.topic, batch.partition, batch.offsetAt(index))
  }

  written(): void {
    this.tell(null, this.topic, -1, undefined)
  }

  failed(
    error: Error,
    topic: string,
    partition: number,
    _first?: number,
    _count?: number,
    log?: AttemptLog,
  ): void {
    this.watch?.ended(topic, ONLY, log)
    this.tell(error, topic, partition, undefined)
  }
}

/** `enqueue` with a callback, of one that is watched. */
export class WatchedRecord extends EnqueuedRecord {
  private readonly watchedBy: CallWatch

  constructor(topic: string, onDelivery: OnDelivery, teller: DeliveryTeller, watchedBy: CallWatch) {
    super(topic, onDelivery, teller)
    this.watchedBy = watchedBy
  }

  protected override get watch(): CallWatch {
    return this.watchedBy
  }
}

/** `enqueue` without a callback: nobody waits, and a failure goes to the option `onDeliveryError`. */
export class UnownedRecord implements SendCompletion {
  readonly links = undefined
  private readonly onError: (error: Error, topic: string) => void

  constructor(onError: (error: Error, topic: string) => void) {
    this.onError = onError
  }

  ownerIn(): null {
    return null
  }

  placed(): void {}

  failedBefore(error: Error, topic: string): void {
    this.onError(error, topic)
  }
}
