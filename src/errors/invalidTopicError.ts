import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** Not a legal topic name. (INVALID_TOPIC_EXCEPTION, whose words in kafkajs begin the message) */
export class InvalidTopicError extends BrokerVerdictError {
  static override readonly name: string = 'InvalidTopicError'

  constructor(topic: string, reason: string, context: ErrorContext = {}) {
    super(
      `The request attempted to perform an operation on an invalid topic: the name of ${place(topic)} is not valid: ${reason}. A topic's name has 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', and is neither '.' nor '..'.`,
      { type: 'INVALID_TOPIC_EXCEPTION', code: 17 },
      { ...context, topic, outcome: 'not-written' },
    )
  }
}
