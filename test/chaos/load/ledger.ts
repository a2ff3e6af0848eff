/** What a client said of a record. */
export const STATE = {
  /** Nothing yet. */
  pending: 0,
  acknowledged: 1,
  /** It failed, and the client said that it was not written. */
  refused: 2,
  /** It failed, and may have been written. */
  unknown: 3,
} as const

/**
 * What was offered, in the order of the calls, and what became of it: a column per property, a row per record. A record's
 * number is its row. Plain data, so that it can be sent to another process.
 */
export interface LedgerData {
  readonly tag: number
  readonly topics: readonly string[]
  readonly count: number
  /** Indexes into `topics`. */
  readonly topic: Uint16Array
  readonly state: Uint8Array
  /** Where it was acknowledged; -1: not told. */
  readonly partition: Int16Array
  /** With which offset it was acknowledged; -1: not told. */
  readonly offset: Float64Array
  /** ms since 1970 */
  readonly offeredAt: Float64Array
  /** ms since 1970; 0: not yet */
  readonly endedAt: Float64Array
}

/** The recorder of a run: written by the load, read by the checker. */
export class Ledger {
  readonly tag: number
  private readonly topics: string[] = []
  private readonly topicIndexes = new Map<string, number>()
  private rows = 0
  private topic: Uint16Array<ArrayBuffer>
  private state: Uint8Array<ArrayBuffer>
  private partition: Int16Array<ArrayBuffer>
  private offset: Float64Array<ArrayBuffer>
  private offeredAt: Float64Array<ArrayBuffer>
  private endedAt: Float64Array<ArrayBuffer>

  /** @param capacity records to have room for at once; it grows beyond */
  constructor(tag: number, capacity = 1024) {
    this.tag = tag
    this.topic = new Uint16Array(capacity)
    this.state = new Uint8Array(capacity)
    this.partition = new Int16Array(capacity)
    this.offset = new Float64Array(capacity)
    this.offeredAt = new Float64Array(capacity)
    this.endedAt = new Float64Array(capacity)
  }

  get count(): number {
    return this.rows
  }

  /** What the columns take: not the client's memory. bytes */
  get bytes(): number {
    const columns = [this.topic, this.state, this.partition, this.offset, this.offeredAt, this.endedAt]
    return columns.reduce((sum, column) => sum + column.byteLength, 0)
  }

  /** @returns the record's number */
  offer(topic: string, at: number): number {
    if (this.rows === this.state.length) this.grow()
    const number = this.rows++
    this.topic[number] = this.indexOf(topic)
    this.partition[number] = -1
    this.offset[number] = -1
    this.offeredAt[number] = at
    return number
  }

  acknowledge(number: number, partition: number, offset: number, at: number): void {
    this.end(number, STATE.acknowledged, at)
    this.partition[number] = partition
    this.offset[number] = offset
  }

  fail(number: number, outcome: 'not-written' | 'unknown', at: number): void {
    this.end(number, outcome === 'not-written' ? STATE.refused : STATE.unknown, at)
  }

  data(): LedgerData {
    const { tag, rows: count } = this
    return {
      tag,
      topics: [...this.topics],
      count,
      topic: this.topic.slice(0, count),
      state: this.state.slice(0, count),
      partition: this.partition.slice(0, count),
      offset: this.offset.slice(0, count),
      offeredAt: this.offeredAt.slice(0, count),
      endedAt: this.endedAt.slice(0, count),
    }
  }

  private end(number: number, state: number, at: number): void {
    if (this.state[number] !== STATE.pending) throw new Error(`record ${number} has ended twice`)
    this.state[number] = state
    this.endedAt[number] = at
  }

  private indexOf(topic: string): number {
    const known = this.topicIndexes.get(topic)
    if (known !== undefined) return known
    const index = this.topics.push(topic) - 1
    this.topicIndexes.set(topic, index)
    return index
  }

  private grow(): void {
    const size = this.rows * 2
    const grown = <T extends { set(from: T): void }>(fresh: T, old: T): T => {
      fresh.set(old)
      return fresh
    }
    this.topic = grown(new Uint16Array(size), this.topic)
    this.state = grown(new Uint8Array(size), this.state)
    this.partition = grown(new Int16Array(size), this.partition)
    this.offset = grown(new Float64Array(size), this.offset)
    this.offeredAt = grown(new Float64Array(size), this.offeredAt)
    this.endedAt = grown(new Float64Array(size), this.endedAt)
  }
}
