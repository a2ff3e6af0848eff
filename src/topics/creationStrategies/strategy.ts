import { InvalidTopicError, TopicAuthorizationError, TopicCreationError } from '../../errors/index.js'
import type { MissingAnswer } from '../../metadata/requests/answer.js'
import type { ScheduleEnd } from '../../metadata/retry/schedule.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { Problem, TopicWait } from '../topicWait.js'

/** What a broker answered for topics that it does not know. */
export interface UnknownTopics {
  readonly waits: readonly TopicWait[]
  readonly answers: ReadonlyMap<TopicWait, MissingAnswer>
  /** -1: a seed broker whose id is not known. */
  readonly nodeId: number
  /** Whether the request allowed the broker to create them. */
  readonly create: boolean
}

/** What comes of a topic that does not exist yet; one per policy. It is asked once per metadata answer, for all its topics. */
export interface CreationStrategy {
  /** Whether metadata requests allow the broker to create its topics. */
  readonly asksBroker: boolean
  /** Ends each wait or has it asked again. */
  unknown(topics: UnknownTopics): void
  /** A final refusal. Default: the wait fails with {@link refusalError}. */
  refused?(wait: TopicWait, code: number): void
  /** The topic was missing, and is there now. */
  appeared?(wait: TopicWait): void
  /** What the wait most likely waits in vain for, as a sentence; for warnings and the error of a spent budget. */
  likelyCause?(wait: TopicWait): string | undefined
  /** The error of a spent budget, where it is another than `MetadataRetriesExceededError`. */
  exhausted?(wait: TopicWait, end: ScheduleEnd): Error | undefined
}

/** What strategies may do with the waits. Each does nothing for a wait that has ended. */
export interface WaitControl {
  /** Ends the wait, between attempts too. */
  fail(wait: TopicWait, error: unknown): void
  /** The attempt has failed: another one follows after a pause, unless the budget is spent. */
  retry(waits: readonly TopicWait[], problemOf: (wait: TopicWait) => Problem): void
  /** Asks again in the same attempt: there is a reason to expect news. */
  askAgain(wait: TopicWait): void
}

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
