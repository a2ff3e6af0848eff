import type { RecordMetadata } from 'kafkajs'
import type { AcknowledgedBatch } from '../batch/acknowledgedBatch.js'
import type { RecordCompletion } from '../batch/recordCompletion.js'
import type { SendCompletion } from './sendCompletion.js'

/** `send` with one message: the common case, with nothing to gather. */
export class SingleSend implements SendCompletion, RecordCompletion {
  readonly size = 0
  private readonly resolve: (result: RecordMetadata[]) => void
  private readonly reject: (error: Error) => void

  constructor(resolve: (result: RecordMetadata[]) => void, reject: (error: Error) => void) {
    this.resolve = resolve
    this.reject = reject
  }

  ownerIn(): RecordCompletion {
    return this
  }

  placed(): void {}

  owns(owner: RecordCompletion | null): boolean {
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
