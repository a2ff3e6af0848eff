import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** A record is larger than `requestBytes`, `bufferBytes` or the topic's `max.message.bytes`. */
export class RecordTooLargeError extends BrokerVerdictError {
  static override readonly name: string = 'RecordTooLargeError'

  constructor(topic: string, remedy: string, context: ErrorContext & { recordBytes: number }) {
    const { recordBytes, ...rest } = context
    super(
      `A record of ${recordBytes} bytes for ${place(topic, rest.partition)} is too large. ${remedy}`,
      { type: 'MESSAGE_TOO_LARGE', code: 10 },
      { ...rest, topic, outcome: 'not-written' },
    )
  }
}
