/** Remembers this many creations. */
const MAX_TOPICS = 10_000
/** Where topics have no ids, one that comes again later than this was created again. ms */
const SAME_WITHIN_MS = 60_000

const ofMetric = new WeakMap<object, CreatedTopics>()

/** Counts a topic's creation once, however many producers of the process waited for it. */
export class CreatedTopics {
  private readonly seen = new Map<string, number>()

  /** Those of a metric: shared by the producers that report to it. */
  static of(metric: object): CreatedTopics {
    const known = ofMetric.get(metric) ?? new CreatedTopics()
    ofMetric.set(metric, known)
    return known
  }

  /**
   * Remembers that a topic was created.
   *
   * @param topicId undefined: unknown
   * @returns whether this creation was not known yet
   */
  add(topic: string, topicId: string | undefined, now = performance.now()): boolean {
    const key = topicId ?? `name ${topic}`
    const seenAt = this.seen.get(key)
    const isNew = seenAt === undefined || (topicId === undefined && now - seenAt > SAME_WITHIN_MS)
    this.seen.delete(key)
    this.seen.set(key, now)
    if (this.seen.size > MAX_TOPICS) {
      const [oldest] = this.seen.keys()
      this.seen.delete(oldest!)
    }
    return isNew
  }
}
