import type { ProducerObserver } from '../../metrics/observer.js'
import { topicNameProblem } from '../../topics/policy/name.js'
import { asError } from '../../util/realms.js'

/** Counts the records of calls that are refused at once: for what is wrong with them, or because the producer is not connected. */
export class RefusedCalls {
  private readonly observer: Pick<ProducerObserver, 'recordsFailed'>

  constructor(observer: Pick<ProducerObserver, 'recordsFailed'>) {
    this.observer = observer
  }

  /** @param topics as the caller gave them: of any type */
  count(topics: unknown, error: unknown): void {
    if (!Array.isArray(topics)) return this.add(undefined, undefined, error)
    for (const each of topics) this.add(each?.topic, each?.messages, error)
  }

  private add(topic: unknown, messages: unknown, error: unknown): void {
    const records = Array.isArray(messages) ? messages.length : 1
    if (records > 0) this.observer.recordsFailed(labelOf(topic), records, asError(error).name)
  }
}

/** What no topic can be named must not become a series: it may be anything, of any length. */
const labelOf = (topic: unknown): string =>
  typeof topic === 'string' && topicNameProblem(topic) === undefined ? topic : ''
