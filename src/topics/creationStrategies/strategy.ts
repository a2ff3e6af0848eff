import { InvalidTopicError, TopicAuthorizationError, TopicCreationError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import { answerError, type TopicAnswer } from '../../metadata/answer.js'
import type { Pace } from '../../metadata/refreshQueue.js'
import { NotYet } from '../../metadata/schedule.js'
import type { TopicView } from '../../metadata/view.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { TopicSettings } from '../policy.js'

/** One attempt at a topic, from 1: its view, or what was met instead (`NotYet`: go on). */
export type Attempt = (attempt: number) => Promise<TopicView>

/** What a creation strategy works with. */
export interface StrategyContext {
  readonly topic: string
  readonly settings: TopicSettings
  /** One question to the cluster, with or without the creation flag. */
  lookup(attempt: number, create: boolean, pace?: Pace): Promise<TopicAnswer>
  /** Ends the wait at once, between attempts too. */
  fail(error: unknown): void
}

/** The answer is not the one waited for, but may become it. */
export const notYet = (topic: string, answer: Exclude<TopicAnswer, { kind: 'available' }>): NotYet =>
  withoutStack(() => new NotYet(answerError(topic, answer.errorCode, answer.nodeId)))

/** The typed error for an answer that asking again cannot mend. */
export const refusalError = (
  topic: string,
  code: number,
  attempts: number,
  reason: string | null = null,
): Error => {
  const verdict = errorCode(code)
  if (code === ERROR.TOPIC_AUTHORIZATION_FAILED) return new TopicAuthorizationError(topic, { attempts })
  if (code === ERROR.INVALID_TOPIC_EXCEPTION)
    return new InvalidTopicError(topic, reason ?? 'the broker refuses it', { attempts })
  return new TopicCreationError(topic, verdict, reason, { attempts })
}

export const isUnknown = (answer: TopicAnswer): boolean =>
  answer.kind === 'creating' && answer.errorCode === ERROR.UNKNOWN_TOPIC_OR_PARTITION
