import { type ErrorContext, NonRetriableError, place } from './bases.js'

/** The call's AbortSignal withdrew the record before it was in a request; `cause` is the signal's reason. */
export class SendAbortedError extends NonRetriableError {
  static override readonly name: string = 'SendAbortedError'

  constructor(topic: string, context: ErrorContext = {}) {
    super(
      `A record for ${place(topic, context.partition)} was withdrawn by the call's signal. It was not written.`,
      {
        ...context,
        topic,
        outcome: 'not-written',
      },
    )
  }
}
