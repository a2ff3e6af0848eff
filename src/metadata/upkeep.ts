import type { Logger } from 'kafkajs'
import type { MetadataTrigger } from '../metrics/observer.js'
import { unref } from '../util/realms.js'
import { LONGEST_TIMER_MS } from '../util/timers.js'
import type { MetadataCache } from './cache/cache.js'
import type { TopicView } from './cache/view.js'
import { isUnknown, type TopicAnswer } from './requests/answer.js'
import type { MetadataRefresher } from './requests/refresher.js'
import { isTransportFailure } from './retry/failure.js'

/** So many topics are asked for in one turn of the event loop, no more than one request names. */
const TOPICS_PER_TURN = 1000

export interface UpkeepOptions {
  readonly cache: MetadataCache
  readonly refresher: Pick<MetadataRefresher, 'lookup'>
  readonly logger: Logger
  /** Topics are asked for again, by name, before they are older than this. ms */
  readonly metadataMaxAgeMs: number
  /** Topics unused for this long are forgotten. ms */
  readonly metadataMaxIdleMs: number
}

/** Keeps what is known of topics in use true: asks again by age, and finds out when a topic is gone. */
export class MetadataUpkeep {
  readonly #options: UpkeepOptions
  readonly #periodMs: number
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.#periodMs = Math.min(options.metadataMaxAgeMs, options.metadataMaxIdleMs, LONGEST_TIMER_MS)
  }

  /** To be called when a topic was added. One timer for all topics, and none without any: an idle producer sleeps. */
  arm(): void {
    if (this.#timer || this.#closed || this.#options.cache.size === 0) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sweep()
      this.arm()
    }, this.#periodMs)
    unref(this.#timer)
  }

  /**
   * Asks once for a topic in use. A topic that a broker does not know any more is asked for again through another
   * one before it counts as gone: a broker that lags behind must not end the records of a topic that is there. So is one
   * whose answer contradicts what is known.
   */
  async ask(name: string, trigger: MetadataTrigger, avoidNode?: number): Promise<TopicAnswer> {
    const { refresher, cache } = this.#options
    const first = await refresher.lookup(name, { create: false, trigger, avoidNode })
    if (isUnknown(first)) {
      const second = await refresher.lookup(name, { create: false, trigger, avoidNode: first.nodeId })
      if (isUnknown(second)) cache.markGone(name)
      return second
    }
    const doubter = cache.doubterOf(name)
    if (doubter === undefined) return first
    return refresher.lookup(name, { create: false, trigger, avoidNode: doubter })
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #sweep(): void {
    const { cache, metadataMaxAgeMs, metadataMaxIdleMs } = this.#options
    const now = performance.now()
    // Those that would be too old before the next sweep go now, in few requests.
    const fetchedBefore = now + this.#periodMs - metadataMaxAgeMs
    this.#askFor(cache.sweep(now, metadataMaxIdleMs).filter(({ fetchedAt }) => fetchedAt < fetchedBefore))
  }

  /** Some topics per turn of the event loop. */
  #askFor(topics: readonly TopicView[]): void {
    if (this.#closed) return
    for (const { name } of topics.slice(0, TOPICS_PER_TURN))
      this.ask(name, 'age').catch(error => this.#report(name, error))
    const rest = topics.slice(TOPICS_PER_TURN)
    if (rest.length > 0) setImmediate(() => this.#askFor(rest))
  }

  #report(topic: string, error: unknown): void {
    if (this.#closed) return
    // Nobody waits for this: the next sweep, or the next leadership error, asks again.
    if (isTransportFailure(error))
      this.#options.logger.debug(
        'The metadata of a topic in use could not be refreshed; what is known stays valid',
        { topic, error: error.message },
      )
    else
      this.#options.logger.error(
        'The metadata of a topic in use could not be refreshed; what is known stays valid',
        { topic, error: String(error) },
      )
  }
}
