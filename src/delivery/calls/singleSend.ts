import type { RecordMetadata } from 'kafkajs'
import type { AcknowledgedBatch } from '../owners/acknowledgedBatch.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import type { CallLinks } from '../waiting/callLinks.js'
import type { SendCompletion } from '../waiting/sendCompletion.js'

/** `send` with one message: the common case, with nothing to gather. */
export class SingleSend implements SendCompletion, RecordCompletion {
  readonly size = 0
  readonly links: CallLinks | undefined
  private readonly resolve: (result: RecordMetadata[]) => void
  private readonly reject: (error: Error) => void

  /** @param links of a call that can be withdrawn */
  constructor(
    resolve: (result: RecordMetadata[]) => void,
    reject: (error: Error) => void,
    links?: CallLinks,
  ) {
    this.resolve = resolve
    this.reject = reject
    this.links = links
  }

  ownerIn(): RecordCompletion {
    return this
  }

  placed(): void {}

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
