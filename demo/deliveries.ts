/** How far one topic is. */
export interface TopicProgress {
  readonly topic: string
  /** Records that are to be sent to it. */
  readonly total: number
  /** Keys of the acknowledged records. */
  readonly delivered: string[]
  failed: number
  firstError: Error | undefined
  /** From the start of the run until its first record was acknowledged. ms */
  appearedAfterMs: number | undefined
  /** From the start of the run until its last record had ended. ms */
  endedAfterMs: number | undefined
}

/** How far a run is, topic by topic. */
export class Deliveries {
  readonly topics: readonly TopicProgress[]
  private readonly byName: ReadonlyMap<string, TopicProgress>
  private startedAt = performance.now()
  /** Records are being sent. */
  hasBegun = false

  /** @param topics the topic of each record */
  constructor(topics: readonly string[]) {
    const totals = new Map<string, number>()
    for (const topic of topics) totals.set(topic, (totals.get(topic) ?? 0) + 1)
    this.topics = [...totals]
      .sort(([, a], [, b]) => b - a)
      .map(([topic, total]) => ({
        topic,
        total,
        delivered: [],
        failed: 0,
        firstError: undefined,
        appearedAfterMs: undefined,
        endedAfterMs: undefined,
      }))
    this.byName = new Map(this.topics.map(each => [each.topic, each]))
  }

  /** The producer is connected: the clock of the run starts. */
  begin(): void {
    this.startedAt = performance.now()
    this.hasBegun = true
  }

  /** Since the run began; before that, since this was made. ms */
  get elapsedMs(): number {
    return performance.now() - this.startedAt
  }

  get total(): number {
    return sum(this.topics.map(each => each.total))
  }

  get deliveredCount(): number {
    return sum(this.topics.map(each => each.delivered.length))
  }

  get failedCount(): number {
    return sum(this.topics.map(each => each.failed))
  }

  succeeded(topic: string, key: string): void {
    const progress = this.byName.get(topic)!
    progress.appearedAfterMs ??= this.elapsedMs
    progress.delivered.push(key)
    this.noteEnd(progress)
  }

  failed(topic: string, error: Error): void {
    const progress = this.byName.get(topic)!
    progress.firstError ??= error
    progress.failed++
    this.noteEnd(progress)
  }

  private noteEnd(progress: TopicProgress): void {
    if (progress.delivered.length + progress.failed === progress.total) progress.endedAfterMs = this.elapsedMs
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0)
