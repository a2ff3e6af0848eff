import type { Outcome } from '../../errors/bases.js'
import {
  InvalidTopicError,
  ProducerFencedError,
  RecordRejectedError,
  TopicAuthorizationError,
} from '../../errors/index.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'

interface RefusalContext {
  readonly partition: number
  readonly attempts: number
  readonly outcome: Outcome
  readonly cause: Error
}

const FENCED: ReadonlySet<number> = new Set([ERROR.INVALID_PRODUCER_EPOCH, ERROR.PRODUCER_FENCED])

/** The error of records that their broker refused for good. */
export const refusalError = (
  topic: string,
  answer: PartitionAnswer,
  transactionalId: string | undefined,
  context: RefusalContext,
): Error => {
  const verdict = errorCode(answer.errorCode)
  return verdict.code === ERROR.TOPIC_AUTHORIZATION_FAILED
    ? new TopicAuthorizationError(topic, context)
    : verdict.code === ERROR.INVALID_TOPIC_EXCEPTION
      ? new InvalidTopicError(topic, answer.errorMessage ?? verdict.message, context)
      : FENCED.has(verdict.code) && transactionalId !== undefined
        ? new ProducerFencedError(transactionalId, verdict, { topic: topic, ...context })
        : new RecordRejectedError(topic, verdict, answer.errorMessage, context)
}
