import type { Logger } from 'kafkajs'
import { changedTopic, type MetadataCache } from './cache/cache.js'
import { DueTimer } from './retry/dueTimer.js'
import { isTransportFailure } from './retry/failure.js'
import { type MetadataRetrySettings, nominalDelay } from './retry/schedule.js'
import type { MetadataUpkeep } from './upkeep.js'

export interface LeaderRefreshOptions {
  readonly cache: MetadataCache
  readonly upkeep: Pick<MetadataUpkeep, 'ask'>
  readonly logger: Logger
  readonly retry: Pick<MetadataRetrySettings, 'minTimeoutMs' | 'maxTimeoutMs' | 'factor' | 'jitter'>
}

/** Repeats start on a common beat: hundreds of topics that wait for leaders then share requests. ms */
const BEAT_MS = 50

/** So many topics begin to be asked for in one turn of the event loop: thousands may lose their leader together. */
const STARTS_PER_TURN = 500

/** How long a topic with a partition without leader is asked for without anybody calling again. ms */
const PATIENCE_MS = 30_000

interface Refresh {
  readonly name: string
  /** Asks since something changed last. */
  attempt: number
  lastStart: number
  askedAt: number
  avoidNode: number | undefined
  running: boolean
  /** To be asked again as soon as the backoff allows. */
  again: boolean
}

/**
 * Looks for the leaders of topics after leadership errors: at once the first time, then backed off per topic while
 * nothing changes. Results arrive through the cache's subscription.
 */
export class LeaderRefresh {
  readonly #options: LeaderRefreshOptions
  readonly #refreshes = new Map<string, Refresh>()
  /** Those in their backoff, after which they are asked for again or nothing of them is left here: one timer for all. */
  readonly #pauses = new DueTimer<Refresh>(BEAT_MS, refreshes => {
    for (const each of refreshes) this.#goOn(each)
  })
  readonly #starting: Refresh[] = []
  #startsLeft = STARTS_PER_TURN
  #immediate: NodeJS.Immediate | undefined
  readonly #unsubscribe: () => void
  #closed = false

  constructor(options: LeaderRefreshOptions) {
    this.#options = options
    this.#unsubscribe = options.cache.subscribe(change => {
      const refresh = this.#refreshes.get(changedTopic(change))
      if (refresh) refresh.attempt = 0
    })
  }

  request(name: string, avoidNode?: number): void {
    if (this.#closed) return
    const refresh = this.#refreshes.get(name) ?? newRefresh(name)
    this.#refreshes.set(name, refresh)
    refresh.askedAt = performance.now()
    refresh.avoidNode = avoidNode ?? refresh.avoidNode
    // While one is running, its answer may be older than what made the caller ask: it does not count.
    refresh.again = true
    // One that was asked for before is in its backoff, at whose end it is asked for again.
    if (refresh.running || refresh.attempt > 0) return
    this.#pauses.remove(refresh)
    this.#start(refresh)
  }

  close(): void {
    this.#closed = true
    this.#unsubscribe()
    for (const refresh of this.#refreshes.values()) this.#pauses.remove(refresh)
    clearImmediate(this.#immediate)
    this.#starting.length = 0
    this.#refreshes.clear()
  }

  #next(refresh: Refresh): void {
    const { attempt, lastStart, again } = refresh
    if (again && attempt === 0) return this.#start(refresh)
    const dueAt = attempt === 0 ? 0 : lastStart + this.#backoff(attempt)
    // Rounded up to the common beat there, and not here as well: that would be one beat more.
    this.#pauses.add(refresh, Math.max(0, dueAt - performance.now()))
  }

  #goOn(refresh: Refresh): void {
    if (refresh.again) this.#start(refresh)
    else this.#refreshes.delete(refresh.name)
  }

  #start(refresh: Refresh): void {
    refresh.running = true
    this.#immediate ??= setImmediate(() => this.#turn())
    if (this.#startsLeft === 0) this.#starting.push(refresh)
    else {
      this.#startsLeft--
      void this.#run(refresh)
    }
  }

  #turn(): void {
    this.#immediate = undefined
    this.#startsLeft = STARTS_PER_TURN
    for (const refresh of this.#starting.splice(0, STARTS_PER_TURN)) this.#start(refresh)
    if (this.#starting.length > 0) this.#immediate ??= setImmediate(() => this.#turn())
  }

  async #run(refresh: Refresh): Promise<void> {
    const { upkeep, cache } = this.#options
    refresh.again = false
    refresh.attempt++
    refresh.lastStart = performance.now()
    let failed = false
    try {
      await upkeep.ask(refresh.name, 'leader', refresh.avoidNode)
    } catch (error) {
      failed = isTransportFailure(error)
      if (!failed && !this.#closed)
        this.#options.logger.error(
          'The search for new leaders failed; it begins again with the next error of a partition',
          {
            topic: refresh.name,
            error: String(error),
          },
        )
    }
    refresh.running = false
    if (this.#closed) return
    const patient = performance.now() - refresh.askedAt < PATIENCE_MS
    const view = cache.peek(refresh.name)
    const leaderless = view !== undefined && view.available.length < view.partitions.length
    refresh.again ||= patient && (failed || leaderless)
    if (!refresh.again) refresh.avoidNode = undefined
    this.#next(refresh)
  }

  #backoff(attempt: number): number {
    const { retry } = this.#options
    const jitter = retry.jitter ? 1 + Math.random() : 1
    return Math.min(retry.maxTimeoutMs, nominalDelay(retry, attempt) * jitter)
  }
}

const newRefresh = (name: string): Refresh => ({
  name,
  attempt: 0,
  lastStart: Number.NEGATIVE_INFINITY,
  askedAt: 0,
  avoidNode: undefined,
  running: false,
  again: false,
})
