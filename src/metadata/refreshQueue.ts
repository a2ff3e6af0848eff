import type { MetadataTrigger } from '../metrics/observer.js'
import type { TopicAnswer } from './answer.js'

/**
 * `at-once`: whoever asks has a reason to expect news. `first`: a name that was never asked: at once, unless topics are
 * being created. `again`: what was asked before, and may only have to be waited for.
 */
export type Pace = 'at-once' | 'first' | 'again'

/** One caller's question about one topic. It is answered by a request that starts after it was asked. */
export interface Ask {
  readonly name: string
  readonly trigger: MetadataTrigger
  /** From 1, for the log. */
  readonly attempt: number
  readonly pace: Pace
  readonly avoidNode: number | undefined
  readonly signal: AbortSignal | undefined
  readonly resolve: (answer: TopicAnswer) => void
  readonly reject: (error: unknown) => void
}

/** The names of one request, and who is owed an answer. The others ride along in their backoff. */
export interface Load {
  readonly asks: readonly Ask[]
  readonly names: readonly [string, ...string[]]
}

/** How long a name that was never asked may be held back while other topics are being created. ms */
const FIRST_ASK_GAP_MS = 100

/** The later an answer is, the rarer the asking: it finds a topic at most by this share of its wait too late. */
const SHARE_OF_WAIT = 0.25

export interface QueuePace {
  readonly minTimeoutMs: number
  readonly maxTimeoutMs: number
}

/**
 * The names that may share a request, because they want the same creation flag, and the pace of asking them.
 *
 * While topics are being created, requests start at least `minTimeoutMs` apart, from the third on twice that, and ever
 * more as no new names join: asked every 20 ms, a broker takes 8-17 s to create what it creates in 0.2-0.5 s when it
 * is asked every 100 ms. (Each ask makes a KRaft broker forward the creation again until it knows the topics.)
 */
export class RefreshQueue {
  readonly create: boolean
  readonly #pace: QueuePace
  readonly #waiting = new Set<string>()
  /** Names of the last request that have to be asked again by somebody who still waits. */
  #unfinished = new Set<string>()
  #asks: Ask[] = []
  #lastStart = Number.NEGATIVE_INFINITY
  /** When a request last carried a name that was never asked before. */
  #lastNews = 0
  #gapMs = 0

  constructor(create: boolean, pace: QueuePace) {
    this.create = create
    this.#pace = pace
  }

  ask(ask: Ask): void {
    this.#asks.push(ask)
  }

  /** From now on every request of this queue names the topic too, so that one answer can serve it early. */
  wait(name: string): void {
    this.#waiting.add(name)
  }

  unwait(name: string): void {
    this.#waiting.delete(name)
    this.#unfinished.delete(name)
  }

  /** When the next request may start, Infinity when none is wanted. ms, performance.now() */
  readyAt(): number {
    this.#dropWithdrawn()
    if (this.#asks.length === 0) return Number.POSITIVE_INFINITY
    const paces = new Set(this.#asks.map(each => each.pace))
    if (paces.has('at-once')) return Number.NEGATIVE_INFINITY
    if (!paces.has('first')) return this.#lastStart + this.#gapMs
    return this.#unfinished.size === 0
      ? Number.NEGATIVE_INFINITY
      : this.#lastStart + Math.min(this.#gapMs, FIRST_ASK_GAP_MS)
  }

  /** Takes the next request's names: those asked for, then those that wait, `limit` at most. */
  take(limit: number, now: number): Load | undefined {
    const names = new Set<string>()
    const asks: Ask[] = []
    const later: Ask[] = []
    for (const ask of this.#asks) {
      if (names.has(ask.name) || names.size < limit) {
        names.add(ask.name)
        asks.push(ask)
      } else later.push(ask)
    }
    this.#asks = later
    for (const name of this.#waiting) {
      if (names.size >= limit) break
      names.add(name)
    }
    const [first, ...rest] = names
    if (first === undefined || asks.length === 0) return undefined
    this.#lastStart = now
    if (asks.some(each => each.pace === 'first')) this.#lastNews = now
    return { asks, names: [first, ...rest] }
  }

  /** A request ended; `unfinished` are those of its names that are not available yet. */
  ended(unfinished: readonly string[]): void {
    this.#unfinished = new Set(unfinished.filter(name => this.#waiting.has(name)))
    if (unfinished.length === 0) this.#gapMs = 0
    else if (this.#gapMs === 0) this.#gapMs = this.#pace.minTimeoutMs
    else this.#gapMs = this.#steadyGap()
  }

  #steadyGap(): number {
    const { minTimeoutMs, maxTimeoutMs } = this.#pace
    const waited = this.#lastStart - this.#lastNews
    return Math.max(2 * minTimeoutMs, Math.min(maxTimeoutMs, SHARE_OF_WAIT * waited))
  }

  rejectAll(error: unknown): void {
    for (const ask of this.#asks.splice(0)) ask.reject(error)
    this.#waiting.clear()
  }

  #dropWithdrawn(): void {
    if (!this.#asks.some(each => each.signal?.aborted)) return
    const kept: Ask[] = []
    for (const ask of this.#asks) {
      if (ask.signal?.aborted) ask.reject(ask.signal.reason)
      else kept.push(ask)
    }
    this.#asks = kept
  }
}
