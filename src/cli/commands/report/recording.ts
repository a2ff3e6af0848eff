import { type Entry, Figures } from '../../scrapes/figures.js'
import type { Watch } from '../../scrapes/watch.js'
import { CHARTS, type Reading } from './charts.js'

/** What was read at one time. */
export interface Moment {
  /** ms since the epoch */
  readonly atMs: number
  /** One per chart; undefined: no service could be read. */
  readonly readings: readonly Reading[] | undefined
  /** Whether a service had begun anew. */
  readonly restarted: boolean
}

export interface Problem {
  readonly atMs: number
  readonly name: string
  readonly says: string
}

/** Problems beyond these are counted alone. */
const MOST_PROBLEMS = 20

/** What the report is made of: of each time what the charts show, and of the whole time what was counted. */
export class Recording {
  readonly moments: Moment[] = []
  readonly problems: Problem[] = []
  problemCount = 0
  /** What counters grew by, by target and series. */
  private readonly growth = new Map<string, Entry>()
  /** The last levels of each target. */
  private readonly levels = new Map<string, readonly Entry[]>()
  private firstAtMs: number | undefined

  /** Takes what the services' last scrapes gave. @param atMs since the epoch */
  add(watches: readonly Watch[], atMs: number): void {
    const read = watches.filter(each => each.entries !== undefined)
    const figures = new Figures(read.flatMap(each => each.entries!))
    this.moments.push({
      atMs,
      readings: read.length === 0 ? undefined : CHARTS.map(each => each.read(figures)),
      restarted: read.some(each => each.hasJustRestarted),
    })
    for (const each of watches) this.note(each, atMs)
    if (read.length > 0) this.firstAtMs ??= atMs
  }

  /** How many times something was read. */
  get readCount(): number {
    return this.moments.filter(({ readings }) => readings !== undefined).length
  }

  /** From the first time to the last. ms */
  get durationMs(): number {
    return (this.moments.at(-1)?.atMs ?? 0) - (this.moments[0]?.atMs ?? 0)
  }

  /** What was counted from the first scrape to the last, and the last of each level. */
  get whole(): Figures {
    const seconds = ((this.moments.at(-1)?.atMs ?? 0) - (this.firstAtMs ?? 0)) / 1000
    const grown = [...this.growth.values()].map(each => ({
      ...each,
      value: each.increase!,
      perSecond: each.increase! / Math.max(seconds, 0.001),
    }))
    return new Figures([...grown, ...[...this.levels.values()].flat()])
  }

  private note({ target, entries, problem }: Watch, atMs: number): void {
    if (problem !== undefined && ++this.problemCount <= MOST_PROBLEMS)
      this.problems.push({ atMs, name: target.name, says: problem })
    if (entries === undefined) return
    this.levels.set(
      target.name,
      entries.filter(each => each.isGauge),
    )
    for (const entry of entries) {
      if (entry.isGauge) continue
      const key = `${target.name} ${entry.identity}`
      const increase = (this.growth.get(key)?.increase ?? 0) + (entry.increase ?? 0)
      this.growth.set(key, { ...entry, increase })
    }
  }
}
