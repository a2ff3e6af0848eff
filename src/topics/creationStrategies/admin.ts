import type { ProducerObserver } from '../../metrics/observer.js'
import type { TopicCreator } from '../creation.js'
import { type Attempt, isUnknown, notYet, refusalError, type StrategyContext } from './strategy.js'

export interface AdminStrategyOptions {
  readonly creator: Pick<TopicCreator, 'create'>
  readonly observer: Pick<ProducerObserver, 'topicCreated'>
}

/** A missing topic is created by CreateTopics, then waited for until its metadata has spread. */
export const createByAdmin = (
  context: StrategyContext,
  { creator, observer }: AdminStrategyOptions,
): Attempt => {
  const { topic, settings } = context
  let created = false

  return async attempt => {
    const answer = await context.lookup(attempt, false)
    if (answer.kind === 'available') return answer.topic
    if (answer.kind === 'refused') throw refusalError(topic, answer.errorCode, attempt)
    if (created || !isUnknown(answer)) throw notYet(topic, answer)
    // An attempt that fails here in passing leaves `created` false: the next one looks first, since it may be there.
    const outcome = await creator.create({ name: topic, ...settings })
    created = true
    if (outcome === 'created') observer.topicCreated(topic, 'admin')
    const after = await context.lookup(attempt, false, 'at-once')
    if (after.kind === 'available') return after.topic
    throw notYet(topic, after)
  }
}
