import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** The topic does not exist, and the broker that was asked will never create it: `auto.create.topics.enable` is false there. */
export class TopicCreationDisabledError extends BrokerVerdictError {
  static override readonly name: string = 'TopicCreationDisabledError'

  constructor(topic: string, nodeId: number, context: ErrorContext = {}) {
    super(
      `The ${place(topic)} does not exist, and broker ${nodeId} does not create topics: its setting auto.create.topics.enable is false. ` +
        `Create the topic beforehand, use topics: { create: 'admin' }, or set auto.create.topics.enable=true on the brokers.`,
      { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
      { ...context, topic, outcome: context.outcome ?? 'not-written' },
    )
  }
}
