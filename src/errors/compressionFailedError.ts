import { messageOf, NonRetriableError } from './bases.js'

/** A codec failed on a batch, which was not sent for that reason; `cause` is the codec's error. */
export class CompressionFailedError extends NonRetriableError {
  static override readonly name: string = 'CompressionFailedError'

  constructor(codec: string, cause: unknown) {
    super(`${codec} compression failed: ${messageOf(cause)}`, { cause, outcome: 'not-written' })
  }
}
