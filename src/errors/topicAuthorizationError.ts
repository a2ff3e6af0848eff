import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** TOPIC_AUTHORIZATION_FAILED. A missing CREATE right looks the same as a missing DESCRIBE or WRITE right. */
export class TopicAuthorizationError extends BrokerVerdictError {
  static override readonly name: string = 'TopicAuthorizationError'

  constructor(topic: string, context: ErrorContext = {}) {
    super(
      `Not authorized for ${place(topic, context.partition)}. Grant the principal WRITE and DESCRIBE on the topic; ` +
        `where the topic has to be created first, also CREATE on the topic or the cluster.`,
      { type: 'TOPIC_AUTHORIZATION_FAILED', code: 29 },
      { ...context, topic, outcome: context.outcome ?? 'not-written' },
    )
  }
}
