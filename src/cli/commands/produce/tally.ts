import { inFlags } from '../../flagWords.js'
import { formatCount, formatDuration, plural, printable } from '../../terminal/format.js'

/** Where a record came from. */
export interface Origin {
  readonly source: string
  readonly line: number
}

const REPORTED_LINES = 20
const REPORTED_FAILURES = 20

/** Counts how the lines of a run ended, and says which complaints are worth a line of their own. */
export class Tally {
  accepted = 0
  delivered = 0
  failed = 0
  malformed = 0
  private readonly topics = new Set<string>()
  /** Failures of one kind on one topic: the first is told at once, the others are counted. */
  private readonly failures = new Map<string, { readonly topic: string; count: number }>()

  constructor(
    private readonly complain: (line: string) => void,
    private readonly verbose: boolean,
  ) {}

  /** Records that were taken and have not ended yet. */
  get outstanding(): number {
    return this.accepted - this.delivered - this.failed
  }

  get allDelivered(): boolean {
    return this.failed === 0 && this.malformed === 0
  }

  lineMalformed({ source, line }: Origin, problem: string): void {
    this.malformed++
    if (this.verbose || this.malformed <= REPORTED_LINES) this.complain(`${source}:${line}: ${problem}`)
    if (!this.verbose && this.malformed === REPORTED_LINES) {
      this.complain('further malformed lines are counted and not shown (--verbose shows all)')
    }
  }

  recordDelivered(topic: string): void {
    this.delivered++
    this.topics.add(topic)
  }

  recordFailed({ source, line }: Origin, topic: string, error: Error): void {
    this.failed++
    const kind = `${topic}\n${error.name}`
    const seen = this.failures.get(kind)
    if (seen) seen.count++
    else this.failures.set(kind, { topic, count: 1 })
    if (this.verbose || (!seen && this.failures.size <= REPORTED_FAILURES)) {
      this.complain(`${source}:${line}: not delivered: ${printable(inFlags(error.message), 1000)}`)
    }
  }

  /** Told at the end: how many records ended like one already told. */
  *repeats(): Generator<string> {
    if (this.verbose) return
    let shown = 0
    let others = 0
    for (const { topic, count } of this.failures.values()) {
      const untold = shown < REPORTED_FAILURES ? count - 1 : count
      if (untold > 0 && shown < REPORTED_FAILURES) {
        yield `${topic}: ${plural(untold, 'more record')} not delivered for the same reason`
      } else others += untold
      shown++
    }
    if (others > 0)
      yield `${plural(others, 'more record')} not delivered, to other topics (--verbose shows all)`
  }

  progress(elapsedMs: number): string {
    const rate = elapsedMs > 0 ? (this.delivered * 1000) / elapsedMs : 0
    return [
      `${formatCount(this.delivered)} delivered`,
      ...(this.outstanding > 0 ? [`${formatCount(this.outstanding)} on the way`] : []),
      ...this.losses(),
      `${formatCount(rate)} records/s`,
      formatDuration(elapsedMs),
    ].join(' · ')
  }

  summary(elapsedMs: number): string {
    const where = this.topics.size > 0 ? ` to ${plural(this.topics.size, 'topic')}` : ''
    return [
      `${plural(this.delivered, 'record')} delivered${where} in ${formatDuration(elapsedMs)}`,
      ...this.losses(),
    ].join(', ')
  }

  private losses(): string[] {
    return [
      ...(this.failed > 0 ? [`${formatCount(this.failed)} failed`] : []),
      ...(this.malformed > 0 ? [`${plural(this.malformed, 'malformed line')}`] : []),
    ]
  }
}
