import { SharedPromise } from '../owners/sharedPromise.js'
import type { SendCompletion } from '../waiting/sendCompletion.js'

/** So many calls share a promise: once the first of them ends, the others need one each. */
const MOST_CALLS = 256

/** Single-message sends that wait for space or for their topic: each is a place in one shared promise (see {@link SharedPromise}). */
export class WaitingSends extends SharedPromise implements SendCompletion {
  readonly links = undefined
  private next = 0

  get isFull(): boolean {
    return this.places === MOST_CALLS
  }

  /** The index of the call that is added next. */
  get nextIndex(): number {
    return this.places
  }

  /** The place of the record that is appended next: they may be appended in another order, and to several batches. */
  override get size(): number {
    return this.next
  }

  ownerIn(_batch: unknown, index: number): this {
    this.next = index
    return this
  }

  placed(): void {}

  failedBefore(error: Error, topic: string, from: number, to: number): void {
    this.failed(error, topic, -1, from, to - from)
  }
}
