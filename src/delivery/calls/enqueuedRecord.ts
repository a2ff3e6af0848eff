import type { AcknowledgedBatch } from '../owners/acknowledgedBatch.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { CallLinks } from './callLinks.js'
import { partitionOf, type SendCompletion } from './sendCompletion.js'

export type OnDelivery = (
  error: Error | null,
  delivered: { readonly topic: string; readonly partition: number; readonly offset: string | undefined },
) => void

/** Calls users' callbacks, whatever they throw. */
export interface DeliveryTeller {
  tell(onDelivery: OnDelivery, error: Error | null, delivered: Parameters<OnDelivery>[1]): void
}

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

  private tell(error: Error | null, topic: string, partition: number, offset: string | undefined): void {
    this.teller.tell(this.onDelivery, error, { topic, partition, offset })
  }

  ownerIn(): RecordCompletion {
    return this
  }

  placed(): void {}

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
