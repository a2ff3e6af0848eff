import { formatCount, formatDuration, plural } from '../../src/cli/terminal/format.js'

/** How far a run is: what was acknowledged and what failed, by topic. */
export class RunProgress {
  private readonly keys: Map<string, string[]>
  private readonly failures = new Map<string, { count: number; readonly first: Error }>()
  deliveredCount = 0
  failedCount = 0
  private connected = false
  private readonly started = performance.now()

  constructor(
    readonly topics: readonly string[],
    private readonly total: number,
  ) {
    this.keys = new Map(topics.map(topic => [topic, []]))
  }

  /** The acknowledged keys. */
  get delivered(): ReadonlyMap<string, readonly string[]> {
    return this.keys
  }

  onConnected = (): void => {
    this.connected = true
  }

  onDelivered = (topic: string, key: string): void => {
    this.keys.get(topic)?.push(key)
    this.deliveredCount++
  }

  onFailed = (topic: string, error: Error): void => {
    const seen = this.failures.get(topic)
    if (seen) seen.count++
    else this.failures.set(topic, { count: 1, first: error })
    this.failedCount++
  }

  line(): string {
    const elapsed = formatDuration(performance.now() - this.started)
    if (!this.connected) return `connecting · ${elapsed}`
    const waiting = this.topics.filter(
      topic => this.keys.get(topic)?.length === 0 && !this.failures.has(topic),
    )
    return [
      `${formatCount(this.deliveredCount)} of ${plural(this.total, 'record')} delivered`,
      ...(this.failedCount > 0 ? [`${formatCount(this.failedCount)} failed`] : []),
      elapsed,
      ...(waiting.length > 0 ? [`waiting for ${someOf(waiting)}`] : []),
    ].join(' · ')
  }

  /** One line for each topic that failed, with its first error. */
  failureLines(): string[] {
    return [...this.failures].map(
      ([topic, { count, first }]) => `${topic}: ${plural(count, 'record')} not delivered: ${first.message}`,
    )
  }
}

const NAMED = 3

const someOf = (topics: readonly string[]): string =>
  topics.length <= NAMED ? topics.join(', ') : plural(topics.length, 'topic')
