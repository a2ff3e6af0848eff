import type { MetadataTrigger } from '../../metrics/observer.js'
import type { TopicAnswer } from './answer.js'

/**
 * `at-once`: whoever asks has a reason to expect news. `first`: a name that was never asked: at once, unless topics are
 * being created. `again`: what was asked before, and may only have to be waited for.
 */
export type Pace = 'at-once' | 'first' | 'again'

/** One question about one topic. It is answered by a request that starts after it was asked. */
export interface Ask {
  readonly name: string
  readonly trigger: MetadataTrigger
  /** From 1, for the log. */
  readonly attempt: number
  readonly pace: Pace
  readonly avoidNode: number | undefined
  readonly owner: AskOwner
}

/** Who is told how asks ended: once per request for all of its asks, so that 1,000 topics cost one call. */
export interface AskOwner {
  answered(asks: readonly Ask[], answer: MetadataAnswer): void
  /** The request failed. */
  failed(asks: readonly Ask[], error: unknown, sentAt: number): void
}

/** What one metadata request learned. */
export interface MetadataAnswer {
  /** By topic, for every name of the request. */
  readonly topics: ReadonlyMap<string, TopicAnswer>
  readonly nodeId: number
  /** Whether the request allowed the broker to create topics. */
  readonly create: boolean
  /** In time of the {@link RunningClock}. ms */
  readonly sentAt: number
}

/** The names of one request, and the asks that it answers. The names of other topics that wait ride along. */
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
  readonly #unfinished = new Set<string>()
  /** In the order in which they were asked. */
  readonly #asks = new Set<Ask>()
  readonly #counts: Record<Pace, number> = { 'at-once': 0, first: 0, again: 0 }
  #lastStart = Number.NEGATIVE_INFINITY
  /** When a request last carried a name that was never asked before. */
  #lastNews = 0
  #gapMs = 0

  constructor(create: boolean, pace: QueuePace) {
    this.create = create
    this.#pace = pace
  }

  ask(ask: Ask): void {
    if (this.#asks.has(ask)) return
    this.#asks.add(ask)
    this.#counts[ask.pace]++
  }

  /** Takes an ask back. Nothing happens when a request carries it already. */
  withdraw(ask: Ask): void {
    if (this.#asks.delete(ask)) this.#counts[ask.pace]--
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
    if (this.#asks.size === 0) return Number.POSITIVE_INFINITY
    if (this.#counts['at-once'] > 0) return Number.NEGATIVE_INFINITY
    if (this.#counts.first === 0) return this.#lastStart + this.#gapMs
    return this.#unfinished.size === 0
      ? Number.NEGATIVE_INFINITY
      : this.#lastStart + Math.min(this.#gapMs, FIRST_ASK_GAP_MS)
  }

  /** Takes the next request's names: those asked for, then those that wait, `limit` at most. */
  take(limit: number, now: number): Load | undefined {
    const names = new Set<string>()
    const asks: Ask[] = []
    let hasNews = false
    for (const ask of this.#asks) {
      if (names.size >= limit) break
      this.withdraw(ask)
      names.add(ask.name)
      asks.push(ask)
      hasNews ||= ask.pace === 'first'
    }
    if (asks.length === 0) return undefined
    for (const name of this.#waiting) {
      if (names.size >= limit) break
      names.add(name)
    }
    this.#lastStart = now
    if (hasNews) this.#lastNews = now
    return { asks, names: [...names] as unknown as Load['names'] }
  }

  /** A request ended; `unfinished` are those of its names that are not available yet. */
  ended(unfinished: readonly string[]): void {
    this.#unfinished.clear()
    for (const name of unfinished) if (this.#waiting.has(name)) this.#unfinished.add(name)
    if (unfinished.length === 0) this.#gapMs = 0
    else if (this.#gapMs === 0) this.#gapMs = this.#pace.minTimeoutMs
    else this.#gapMs = this.#steadyGap()
  }

  #steadyGap(): number {
    const { minTimeoutMs, maxTimeoutMs } = this.#pace
    const waited = this.#lastStart - this.#lastNews
    return Math.max(2 * minTimeoutMs, Math.min(maxTimeoutMs, SHARE_OF_WAIT * waited))
  }

  /** Takes all asks, and lets go of the names that wait. */
  clear(): readonly Ask[] {
    const asks = [...this.#asks]
    for (const ask of asks) this.withdraw(ask)
    this.#waiting.clear()
    this.#unfinished.clear()
    return asks
  }
}

/** Calls `tell` once per owner, with all of its asks. */
export const byOwner = (
  asks: readonly Ask[],
  tell: (owner: AskOwner, asks: readonly Ask[]) => void,
): void => {
  const groups = new Map<AskOwner, Ask[]>()
  for (const ask of asks) {
    const group = groups.get(ask.owner)
    if (group) group.push(ask)
    else groups.set(ask.owner, [ask])
  }
  for (const [owner, group] of groups) tell(owner, group)
}

const triggerOrder: readonly MetadataTrigger[] = ['topic', 'leader', 'age']

/** The label of a request that several reasons share. */
export const mainTrigger = (asks: readonly Ask[]): MetadataTrigger =>
  triggerOrder.find(trigger => asks.some(each => each.trigger === trigger)) ?? 'topic'
