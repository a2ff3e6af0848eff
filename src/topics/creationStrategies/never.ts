import { attemptsText } from '../../errors/bases.js'
import { UnknownTopicError } from '../../errors/index.js'
import type { ScheduleEnd } from '../../metadata/schedule.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { type Attempt, isUnknown, notYet, refusalError, type StrategyContext } from './strategy.js'

/** Nothing is created here. Somebody else has `waitForMs` to do so, counted from the first answer "unknown". */
export const createNever = (context: StrategyContext): Attempt => {
  const { topic, settings } = context
  let unknownSince: number | undefined

  return async attempt => {
    const answer = await context.lookup(attempt, false)
    if (answer.kind === 'available') return answer.topic
    if (answer.kind === 'refused') throw refusalError(topic, answer.errorCode, attempt)
    if (!isUnknown(answer)) throw notYet(topic, answer)
    const now = performance.now()
    unknownSince ??= now
    if (now - unknownSince < settings.waitForMs) throw notYet(topic, answer)
    const cause = notYet(topic, answer).reason
    const { waitForMs } = settings
    const patience = waitForMs > 0 ? `waitForMs (${waitForMs} ms)` : undefined
    throw new UnknownTopicError(topic, remedy(patience), { attempts: attempt, cause })
  }
}

/** The end of a schedule whose last answer was "unknown": the topic is as unknown as it is after `waitForMs`. */
export const unknownAtLast = (
  topic: string,
  { attempts, cause }: ScheduleEnd,
): UnknownTopicError | undefined =>
  (cause as { readonly code?: unknown }).code === ERROR.UNKNOWN_TOPIC_OR_PARTITION
    ? new UnknownTopicError(topic, remedy(`metadataRetry (${attemptsText(attempts)})`), { attempts, cause })
    : undefined

const remedy = (patience: string | undefined): string =>
  `By the topic policy (create: 'never') it is not created here` +
  `${patience === undefined ? '' : `, and nobody else did within ${patience}`}. ` +
  `Create it beforehand, or allow topics: { create: 'broker' } or { create: 'admin' }.`
