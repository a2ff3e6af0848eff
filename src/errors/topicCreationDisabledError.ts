import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/**
 * The topic does not exist, and the brokers do not create topics: `auto.create.topics.enable` of the broker that was asked is false, or, where
 * that setting cannot be read (Confluent Cloud, MSK Serverless), requests that allow the creation do not lead to one.
 */
export class TopicCreationDisabledError extends BrokerVerdictError {
  static override readonly name: string = 'TopicCreationDisabledError'

  /** @param toldBy - the broker whose setting is false; `untold` where it cannot be read */
  constructor(topic: string, toldBy: number | 'untold', context: ErrorContext = {}) {
    super(
      `The ${place(topic)} does not exist, and ${reason(toldBy)} ` +
        `Create the topic beforehand, use topics: { create: 'admin' }, or set auto.create.topics.enable=true on the brokers.`,
      { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
      { ...context, topic, outcome: context.outcome ?? 'not-written' },
    )
  }
}

const reason = (toldBy: number | 'untold'): string =>
  toldBy === 'untold'
    ? 'the brokers did not create it when they were asked to: their setting auto.create.topics.enable cannot be read, and is most likely false.'
    : `broker ${toldBy} does not create topics: its setting auto.create.topics.enable is false.`
