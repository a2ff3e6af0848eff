import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** The topic does not exist, and the topic policy does not let this client create it. */
export class UnknownTopicError extends BrokerVerdictError {
  static override readonly name: string = 'UnknownTopicError'

  constructor(topic: string, remedy: string, context: ErrorContext = {}) {
    super(
      `The ${place(topic)} does not exist. ${remedy}`,
      { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
      { ...context, topic, outcome: context.outcome ?? 'not-written' },
    )
  }
}
