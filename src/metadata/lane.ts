import type { MetadataTrigger } from '../metrics/observer.js'
import type { TopicAnswer } from './answer.js'

/** One caller's question about one topic. It is answered by a request that starts after it was asked. */
export interface Ask {
  readonly name: string
  readonly trigger: MetadataTrigger
  /** From 1; above 1 it is paced. */
  readonly attempt: number
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

/**
 * The names that may share a request, because they want the same creation flag, and the pace of asking them.
 *
 * While topics are being created, requests start at least `minTimeoutMs` apart, from the third on twice that: asked
 * every 20 ms, a broker takes 8-17 s to create what it creates in 0.2-0.5 s when it is asked every 100 ms.
 */
export class Lane {
  readonly create: boolean
  readonly #minTimeoutMs: number
  readonly #waiting = new Set<string>()
  #asks: Ask[] = []
  #lastStart = Number.NEGATIVE_INFINITY
  #gapMs = 0

  constructor(create: boolean, minTimeoutMs: number) {
    this.create = create
    this.#minTimeoutMs = minTimeoutMs
  }

  ask(ask: Ask): void {
    this.#asks.push(ask)
  }

  /** From now on every request of this lane names the topic too, so that one answer can serve it early. */
  wait(name: string): void {
    this.#waiting.add(name)
  }

  unwait(name: string): void {
    this.#waiting.delete(name)
  }

  /** When the next request may start, Infinity when none is wanted. ms, performance.now() */
  readyAt(): number {
    this.#dropWithdrawn()
    if (this.#asks.length === 0) return Number.POSITIVE_INFINITY
    // Leaders are needed by records that wait now, and their asking is paced by itself: topics in creation must not delay it.
    if (this.#asks.some(each => each.trigger !== 'topic')) return Number.NEGATIVE_INFINITY
    const first = this.#asks.some(each => each.attempt === 1)
    return this.#lastStart + (first ? Math.min(this.#gapMs, FIRST_ASK_GAP_MS) : this.#gapMs)
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
    return { asks, names: [first, ...rest] }
  }

  /** A request ended; `unfinished` when some name of it has to be asked again. */
  ended(unfinished: boolean): void {
    if (!unfinished) this.#gapMs = 0
    else this.#gapMs = this.#gapMs === 0 ? this.#minTimeoutMs : 2 * this.#minTimeoutMs
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
