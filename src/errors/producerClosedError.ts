import { type ErrorContext, NonRetriableError, place } from './bases.js'

/** The producer was disconnected before the record was acknowledged, or before the call ended. */
export class ProducerClosedError extends NonRetriableError {
  static override readonly name: string = 'ProducerClosedError'

  constructor(context: ErrorContext = {}) {
    super(
      context.topic === undefined
        ? 'The producer was disconnected before the call ended. Connect it again, and repeat the call.'
        : `The producer was disconnected before a record for ${place(context.topic, context.partition)} was acknowledged. ` +
            (context.outcome === 'unknown' ? 'It may have been written.' : 'It was not written.') +
            ' Give disconnect({ timeoutMs }) more time to flush.',
      context,
    )
  }
}
