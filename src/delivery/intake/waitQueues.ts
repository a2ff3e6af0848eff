import type { ExpiryList } from '../batch/expiryList.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { BufferBudget } from './bufferBudget.js'
import { LinkedQueue } from './linkedQueue.js'
import type { PendingSend } from './pendingSend.js'

export interface WaitLimits {
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

/**
 * Where calls stand that are not in batches as a whole: for buffer space in `spaceLine`, which is one line for all, or,
 * when the share of missing topics is used up, in `shareLine`, which holds up only topics that are not there yet; what is
 * admitted and waits for its topic is parked with the topic.
 */
export class WaitQueues {
  readonly spaceLine = new LinkedQueue<PendingSend>()
  readonly shareLine = new LinkedQueue<PendingSend>()
  private readonly limits: WaitLimits
  private readonly budget: BufferBudget
  private readonly deadlines: ExpiryList
  private readonly need: (topic: TopicPartitions) => void

  /** @param need hears of each call that waits in a line while its topic is not there */
  constructor(
    limits: WaitLimits,
    budget: BufferBudget,
    deadlines: ExpiryList,
    need: (topic: TopicPartitions) => void,
  ) {
    this.limits = limits
    this.budget = budget
    this.deadlines = deadlines
    this.need = need
  }

  enter(entry: PendingSend, line: LinkedQueue<PendingSend>): void {
    const { topic } = entry
    entry.waitsAt = line.add(entry)
    topic.waiting++
    topic.waitingIn = line
    this.schedule(entry)
    if (topic.view === undefined) this.need(topic)
  }

  leave(entry: PendingSend): void {
    const { topic, waitsAt } = entry
    if (waitsAt === undefined) return
    topic.waitingIn?.leave(waitsAt)
    entry.waitsAt = undefined
    topic.waiting--
    if (topic.waiting === 0) topic.waitingIn = undefined
  }

  /** The entry's next end: of its patience for space while messages are not admitted, else of their delivery time. */
  schedule(entry: PendingSend): void {
    this.deadlines.remove(entry)
    const { maxBlockMs, deliveryTimeoutMs } = this.limits
    const waitsForSpace = entry.admitted < entry.messages.length
    entry.deadline =
      entry.startedAt + (waitsForSpace ? Math.min(maxBlockMs, deliveryTimeoutMs) : deliveryTimeoutMs)
    this.deadlines.add(entry)
  }

  /** Waits in this line, whichever it waited in before. */
  waitIn(entry: PendingSend, line: LinkedQueue<PendingSend>): void {
    const { topic } = entry
    const from = topic.waitingIn
    if (from === undefined) return this.enter(entry, line)
    if (from === line) return
    // The others of its topic go along: a smaller record behind it might be let in where it is not.
    topic.waitingIn = line
    for (const each of from) {
      if (each.topic !== topic) continue
      from.leave(each.waitsAt!)
      each.waitsAt = line.add(each)
    }
  }

  /** Nothing of it waits any more. */
  finish(entry: PendingSend): void {
    this.deadlines.remove(entry)
    entry.flushBarrier.done()
  }

  /** Those of the topic that wait for the share. */
  sharersOf(topic: TopicPartitions): PendingSend[] {
    return topic.waitingIn === this.shareLine ? [...this.shareLine].filter(each => each.topic === topic) : []
  }

  /** The entry's next message is admitted, and waits for the topic. */
  park(entry: PendingSend, bytes: number): void {
    this.budget.parkedBytes += bytes
    entry.charges.push(bytes)
    entry.parkedAt ??= entry.topic.parked.add(entry)
  }

  /** Gives back what is parked. */
  unpark(entry: PendingSend): void {
    if (entry.parkedAt === undefined) return
    entry.topic.parked.leave(entry.parkedAt)
    entry.parkedAt = undefined
    for (const bytes of entry.charges) {
      this.budget.parkedBytes -= bytes
      this.budget.give(bytes, 1)
    }
    entry.charges.length = 0
  }
}
