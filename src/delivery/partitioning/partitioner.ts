import type { ICustomPartitioner, Message, PartitionMetadata } from 'kafkajs'
import type { TopicView } from '../../metadata/cache/view.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { murmur2, murmur2OfText } from './murmur2.js'

/** kafkajs groups messages by `String(partition)` and looks that up as a number: what is spelt otherwise it does not find. */
const CANONICAL = /^(0|[1-9]\d{0,14})$/

/**
 * A partition as a number where it is one for kafkajs, whose users in JavaScript give `'1'` too.
 *
 * @returns undefined where it is none
 */
export const partitionNumber = (partition: unknown): number | undefined => {
  if (typeof partition === 'number')
    return Number.isInteger(partition) && partition >= 0 ? partition : undefined
  if (typeof partition !== 'string' && typeof partition !== 'bigint') return undefined
  const text = String(partition)
  return CANONICAL.test(text) ? Number(text) : undefined
}

/** What the built-in partitioner asks of a topic's partitions. */
export interface PartitionHealth {
  /** Whether a record would leave soon, as far as is known: it has a leader that answers, and nothing is being retried. */
  isPrompt(partition: number): boolean
  /** How much waits before a record that comes now: requests of its broker in flight, and batches of its own. */
  loadOf(partition: number): number
  /** The partition was passed over because it is not prompt. */
  leftOut(partition: number): void
}

/**
 * Of so many partitions whose turn it is, the one with the least before it comes next. Few are enough to pass a busy broker by
 * (the power of two choices, Mitzenmacher 2001).
 */
const COMPARED = 4

/** Chooses a record's partition, once. */
export interface Partitioner {
  /** Whether it is the user's code. */
  readonly isForeign: boolean
  choose(view: TopicView, message: Message, health: PartitionHealth): number
  /** Whether keyless records have a prompt partition to go to. */
  hasPrompt(view: TopicView, health: PartitionHealth): boolean
  /** Keyless records have left this partition, after so many bytes; those of a slow one count more. */
  left(partition: number, cost: number): void
}

/**
 * The default, compatible with the Java client's: a pinned partition; else murmur2 of the key over all partitions; else one
 * partition at a time (KIP-480), which is left when its batch closes or its broker is late. Where to next: partitions take
 * turns, but one that has had more bytes than the mean is passed over until the others have caught up, so that none gets more
 * because it keeps records longer (KIP-794), and so is one that is not prompt. See docs/decisions/partitioner.md.
 */
export class StickyPartitioner implements Partitioner {
  readonly isForeign = false
  /** Where keyless records go now; -1: to be chosen. */
  private current = -1
  private turn: number
  private hasChosen = false
  /** The first partition, and what it has had, until `spent` is made. */
  private first = 0
  private firstCost = 0
  /** What each partition has had. Most topics of many have one stay, and never need it. */
  private spent: number[] | undefined
  /** Those whose turn it is, from `at` on. */
  private round: number[] = []
  private at = 0

  /** @param random a number from 0 to 1, so that producers do not all start on the same partition */
  constructor(random: number) {
    this.turn = Math.floor(random * 0x7fffffff)
  }

  choose(view: TopicView, message: Message, health: PartitionHealth): number {
    if (message.partition !== undefined && message.partition !== null) return message.partition
    const { key } = message
    if (key !== undefined && key !== null) {
      const hash = typeof key === 'string' ? murmur2OfText(key) : murmur2(key)
      return (hash & 0x7fffffff) % view.partitions.length
    }
    const { available, partitions } = view
    if (
      this.current < 0 ||
      this.current >= partitions.length ||
      // Its records would wait for a leader while other partitions have one.
      (partitions[this.current]!.leader < 0 && available.length > 0)
    ) {
      this.current = this.chooseKeyless(view, health)
    }
    return this.current
  }

  hasPrompt({ available }: TopicView, health: PartitionHealth): boolean {
    return available.length > 1 && available.some(partition => health.isPrompt(partition))
  }

  left(partition: number, cost: number): void {
    if (partition !== this.current) return
    this.current = -1
    const { spent } = this
    if (spent === undefined) {
      this.first = partition
      this.firstCost = cost
    } else if (partition < spent.length) spent[partition]! += cost
  }

  private chooseKeyless(view: TopicView, health: PartitionHealth): number {
    const { available, partitions } = view
    if (!this.hasChosen || available.length < 2) {
      this.hasChosen = true
      const among = available.length > 0 ? available : partitions.map(({ index }) => index)
      this.turn = (this.turn + 1) & 0x7fffffff
      const first = among[this.turn % among.length]!
      if (available.length < 2 || health.isPrompt(first)) return first
    }
    while (this.at < this.round.length) {
      const partition = this.takeLeastLoaded(
        candidate =>
          candidate < partitions.length && partitions[candidate]!.leader >= 0 && health.isPrompt(candidate),
        health,
      )
      if (partition !== undefined) return partition
      // None of these few is of use any more.
      this.at += COMPARED
    }
    this.round = this.startRound(view, health)
    this.at = 0
    return this.takeLeastLoaded(() => true, health)!
  }

  /** Takes the best of the next few of the round, if any of them may be taken. */
  private takeLeastLoaded(
    mayTake: (partition: number) => boolean,
    health: PartitionHealth,
  ): number | undefined {
    const { round, at } = this
    let best = -1
    let least = Infinity
    for (let i = at; i < Math.min(round.length, at + COMPARED); i++) {
      if (!mayTake(round[i]!)) continue
      const load = health.loadOf(round[i]!)
      if (load >= least) continue
      best = i
      least = load
    }
    if (best < 0) return undefined
    const partition = round[best]!
    round[best] = round[at]!
    this.at++
    return partition
  }

  /**
   * Begins a round, and accounts to each partition what it has had.
   *
   * @returns the prompt partitions that have had no more than the mean; all that have a leader, where none is prompt
   */
  private startRound({ available, partitions }: TopicView, health: PartitionHealth): number[] {
    const spent =
      this.spent ?? Array.from(partitions, ({ index }) => (index === this.first ? this.firstCost : 0))
    this.spent = spent
    while (spent.length < partitions.length) spent.push(0)
    spent.length = partitions.length
    const prompt = available.filter(partition => health.isPrompt(partition))
    const candidates = prompt.length > 0 ? prompt : [...available]
    const mean = candidates.reduce((sum, partition) => sum + spent[partition]!, 0) / candidates.length
    if (prompt.length < available.length) {
      for (const partition of available) {
        if (health.isPrompt(partition)) continue
        health.leftOut(partition)
        // It has no credit for its absence: else all records would go there when it is back.
        spent[partition] = Math.max(spent[partition]!, mean)
      }
    }
    const behind = candidates.filter(partition => spent[partition]! <= mean)
    // A mean of equal numbers can be rounded to less than each of them.
    const round = behind.length > 0 ? behind : candidates
    this.turn = (this.turn + 1) & 0x7fffffff
    const from = this.turn % round.length
    return [...round.slice(from), ...round.slice(0, from)]
  }
}

/** A partitioner made for kafkajs, called as kafkajs calls it. */
export class KafkajsPartitioner implements Partitioner {
  readonly isForeign = true
  private readonly partition: ReturnType<ICustomPartitioner>
  private available: readonly number[] | undefined
  private metadata: PartitionMetadata[] = []

  constructor(partition: ReturnType<ICustomPartitioner>) {
    this.partition = partition
  }

  choose(view: TopicView, message: Message): number {
    // A view's `available` is a new array after each change of leaders or partitions.
    if (this.available !== view.available) {
      this.available = view.available
      this.metadata = view.partitions.map(({ index, leader }) => ({
        partitionErrorCode: leader < 0 ? ERROR.LEADER_NOT_AVAILABLE : ERROR.NONE,
        partitionId: index,
        leader,
        replicas: [],
        isr: [],
        offlineReplicas: [],
      }))
    }
    const answer: unknown = this.partition({ topic: view.name, partitionMetadata: this.metadata, message })
    return (typeof answer === 'string' ? (partitionNumber(answer) ?? answer) : answer) as number
  }

  hasPrompt(): boolean {
    return false
  }

  left(): void {}
}
