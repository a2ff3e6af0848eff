import { setTimeout as sleep } from 'node:timers/promises'
import { changeBetween, type Entry, hasRestarted } from './figures.js'
import { ScrapeError, scrape, type Wanted } from './scrape.js'
import type { Snapshot } from './snapshot.js'
import type { Asking, Target } from './target.js'

/** So many of the last scrapes are looked at for restarts. */
const REMEMBERED = 10
/** More restarts than these among them are no restarts: the URL leads to several processes. */
const RESTARTS = 2

/** One service, scraped again and again. */
export class Watch {
  readonly target: Target
  /** How its series changed in its last scrape; undefined: it cannot be read now. */
  entries: readonly Entry[] | undefined
  /** Why it cannot be read now. */
  problem: string | undefined
  /** Since when it can, or cannot, be read. ms, monotonic; undefined: nothing is known yet */
  since: number | undefined
  /** Of its last restart. ms, monotonic */
  restartedAt: number | undefined
  private before: Snapshot | undefined
  /** Of the last scrapes, whether counters had gone back. */
  private readonly restarts: boolean[] = []

  constructor(target: Target) {
    this.target = target
  }

  /** Its last scrape showed that it had begun anew. */
  get hasJustRestarted(): boolean {
    return this.restarts.at(-1) === true
  }

  /** Its counters go back again and again: a load balancer, or a cluster of processes, is behind the URL. */
  get isSeveral(): boolean {
    return this.restarts.filter(Boolean).length > RESTARTS
  }

  /** Scrapes once; what goes wrong is kept in `problem`. @throws the signal's reason, when it is aborted */
  async scrape(asking: Asking, wanted: Wanted, signal: AbortSignal): Promise<void> {
    try {
      this.took(await scrape(this.target, asking, wanted, signal))
    } catch (error) {
      if (!(error instanceof ScrapeError)) throw error
      this.failed(error.message, wanted.now())
    }
  }

  /** The service was scraped. */
  took(now: Snapshot): void {
    const { before } = this
    const restarted =
      before !== undefined && (before.processStart !== now.processStart || hasRestarted(before, now))
    if (restarted) this.restartedAt = now.atMs
    this.restarts.push(restarted)
    if (this.restarts.length > REMEMBERED) this.restarts.shift()
    this.entries = changeBetween(before, now)
    if (this.since === undefined || this.problem !== undefined) this.since = now.atMs
    this.problem = undefined
    this.before = now
  }

  private failed(problem: string, atMs: number): void {
    if (this.since === undefined || this.problem === undefined) this.since = atMs
    this.problem = problem
    this.entries = undefined
  }
}

/** Scrapes a service at the interval, whatever comes, until the signal is aborted. */
export async function keepWatching(
  watch: Watch,
  asking: Asking,
  wanted: Wanted,
  intervalMs: number,
  { signal, onScraped }: { readonly signal: AbortSignal; readonly onScraped: () => void },
): Promise<void> {
  while (!signal.aborted) {
    const begun = wanted.now()
    try {
      await watch.scrape(asking, wanted, signal)
      onScraped()
      await sleep(Math.max(0, begun + intervalMs - wanted.now()), undefined, { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}
