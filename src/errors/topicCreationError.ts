import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** The cluster refuses to create the topic; the message has the broker's reason. (CreateTopics) */
export class TopicCreationError extends BrokerVerdictError {
  static override readonly name: string = 'TopicCreationError'

  constructor(topic: string, verdict: ErrorCode, reason: string | null, context: ErrorContext = {}) {
    super(`The ${place(topic)} cannot be created (${verdict.type}): ${reason ?? verdict.message}`, verdict, {
      ...context,
      topic,
      outcome: 'not-written',
    })
  }
}
