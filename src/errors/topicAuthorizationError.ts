import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** Not authorized for the topic, or to create it: a broker answers both with TOPIC_AUTHORIZATION_FAILED. */
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
