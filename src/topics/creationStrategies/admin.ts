import { isTransportFailure } from '../../metadata/retry/failure.js'
import { NotYet } from '../../metadata/retry/schedule.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { TopicCreator } from '../creation/creation.js'
import type { TopicWait } from '../topicWait.js'
import type { CreationStrategy, UnknownTopics, WaitControl } from './strategy.js'

export interface CreateByAdminOptions {
  readonly creator: Pick<TopicCreator, 'create'>
  readonly observer: Pick<ProducerObserver, 'topicCreated'>
}

/** A missing topic is created by CreateTopics, then waited for until its metadata has spread. */
export class CreateByAdmin implements CreationStrategy {
  readonly asksBroker = false
  readonly #control: WaitControl
  readonly #options: CreateByAdminOptions
  readonly #created = new WeakSet<TopicWait>()

  constructor(control: WaitControl, options: CreateByAdminOptions) {
    this.#control = control
    this.#options = options
  }

  unknown({ waits, answers }: UnknownTopics): void {
    const spreading: TopicWait[] = []
    for (const wait of waits)
      if (this.#created.has(wait)) spreading.push(wait)
      else void this.#create(wait)
    this.#control.retry(spreading, wait => answers.get(wait)!)
  }

  async #create(wait: TopicWait): Promise<void> {
    const { creator, observer } = this.#options
    try {
      const outcome = await creator.create({ ...wait.settings, name: wait.name })
      if (outcome === 'created') observer.topicCreated(wait.name, 'admin', undefined)
      this.#created.add(wait)
      this.#control.askAgain(wait)
    } catch (error) {
      // It may have been created all the same: the next attempt looks first.
      if (error instanceof NotYet) this.#control.retry([wait], () => error.reason)
      else if (isTransportFailure(error)) this.#control.retry([wait], () => error)
      else this.#control.fail(wait, error)
    }
  }
}
