import { UnknownTopicError } from '../../errors/index.js'
import { type Attempt, isUnknown, notYet, refusalError, type WayContext } from './way.js'

/** Nothing is created here. Somebody else has `waitForMs` to do so, counted from the first answer "unknown". */
export const neverWay = (context: WayContext): Attempt => {
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
    throw new UnknownTopicError(topic, remedy(settings.waitForMs), { attempts: attempt, cause })
  }
}

const remedy = (waitForMs: number): string =>
  `By the topic policy (create: 'never') it is not created here` +
  `${waitForMs > 0 ? `, and nobody else did within waitForMs (${waitForMs} ms)` : ''}. ` +
  `Create it beforehand, or allow topics: { create: 'broker' } or { create: 'admin' }.`
