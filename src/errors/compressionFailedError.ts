import { endless, messageOf, NonRetriableError } from './bases.js'

/** A codec failed on a batch, which was not sent for that reason; `cause` is the codec's error. */
export class CompressionFailedError extends NonRetriableError {
  static override readonly name: string = 'CompressionFailedError'

  constructor(codec: string, cause: unknown) {
    super(
      `${codec} compression failed: ${endless(messageOf(cause))}. The batch was not sent: check the codec, or send without compression.`,
      { cause, outcome: 'not-written' },
    )
  }
}
