import type { Message } from 'kafkajs'
import { ExpiryList } from '../batch/expiryList.js'
import type { BufferBudget } from '../buffer/bufferBudget.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { TurnWork } from '../turns.js'
import type { AdmissionHost } from './admissionHost.js'
import type { SendCompletion } from './sendCompletion.js'
import type { TopicPartitions } from './topicPartitions.js'
import { spacePatienceMs, TopicWait, type WaitLimits } from './topicWait.js'
import type { WaitFailures } from './waitFailures.js'
import { type CallMoment, isLastOf, type LineOwner, WaitingRecord, WaitLine } from './waitLine.js'

/** Brings records that have waited into their batches. */
export interface RecordPlacing {
  /** There is room at the partition at which the record has waited. */
  placePinned(topic: TopicPartitions, queue: PartitionQueue, record: WaitingRecord): void
  /** The topic is there for which the record has waited in this line: it finds its partition, and may wait there. */
  placeWaiting(topic: TopicPartitions, wait: TopicWait, line: WaitLine, record: WaitingRecord): void
}

/** The records that are in no batch yet, each in the queue of its own destination ({@link WaitLine}), and when they go on. */
export class WaitQueues implements LineOwner {
  private readonly limits: WaitLimits
  private readonly host: AdmissionHost
  private readonly budget: BufferBudget
  private readonly turns: TurnWork
  private readonly waitFailures: WaitFailures
  private readonly placing: RecordPlacing
  /** When records that wait for space, and those that wait for their topics, are out of time. */
  private readonly deadlines = { space: new ExpiryList(), admitted: new ExpiryList() }

  constructor(
    limits: WaitLimits,
    host: AdmissionHost,
    turns: TurnWork,
    waitFailures: WaitFailures,
    placing: RecordPlacing,
  ) {
    this.limits = limits
    this.host = host
    this.budget = host.budget
    this.turns = turns
    this.waitFailures = waitFailures
    this.placing = placing
  }

  /**
   * Lets a record wait: for its topic, or for space.
   *
   * @param queue its partition, if the topic is there
   * @returns false where too much waits already
   */
  wait(
    topic: TopicPartitions,
    queue: PartitionQueue | undefined,
    message: Message,
    call: SendCompletion,
    index: number,
    moment: CallMoment,
    bytes: number,
  ): boolean {
    const wait = queue === undefined ? this.waitOf(topic) : undefined
    let line: WaitLine
    if (wait !== undefined && this.canPark(wait, bytes)) {
      this.budget.take(wait, bytes)
      line = wait.parked
    } else if (moment.isPatient || this.budget.mayWait(bytes)) {
      this.budget.waits(bytes)
      line = wait === undefined ? this.lineOf(topic, queue!) : wait.line
    } else {
      if (wait !== undefined) this.dropEmpty(wait)
      return false
    }
    moment.flushBarrier.add()
    this.enter(line, new WaitingRecord(message, call, index, moment, bytes, line))
    if (topic.view === undefined) this.host.need(topic)
    if (line.kind === 'admitted') call.admitted?.(line.destination)
    return true
  }

  private enter(line: WaitLine, record: WaitingRecord): void {
    line.add(record)
    if (!line.listed) this.schedule(line)
  }

  private schedule(line: WaitLine): void {
    const { dueAt } = line
    if (dueAt === Infinity) return
    line.deadline = dueAt
    this.deadlines[line.kind].add(line)
  }

  waitOf(topic: TopicPartitions): TopicWait {
    topic.waiting ??= new TopicWait(topic, this.budget.immobile, this.limits, this)
    return topic.waiting
  }

  private lineOf(topic: TopicPartitions, queue: PartitionQueue): WaitLine {
    if (queue.line instanceof WaitLine) return queue.line
    const line = new WaitLine(queue, 'space', topic, spacePatienceMs(this.limits), this)
    queue.line = line
    return line
  }

  canPark(wait: TopicWait, bytes: number): boolean {
    return !wait.isPlacing && wait.line.size === 0 && this.budget.mayHold(wait, bytes)
  }

  occupied(line: WaitLine): void {
    this.waitFailures.lines.add(line)
    const { destination } = line
    const isPlacing = destination instanceof TopicWait && destination.isPlacing
    if (line.kind === 'space' && !isPlacing) this.budget.enlist(line)
    // What waits for a missing topic waits for that.
    if (line.kind === 'space' && line.topic.view !== undefined) {
      line.ongoing = this.host.waits.begin('buffer', { topic: line.topic.name }, { waiters: line })
    }
  }

  emptied(line: WaitLine): void {
    this.waitFailures.lines.delete(line)
    if (line.ongoing !== undefined) this.host.waits.end(line.ongoing, 'over')
    line.ongoing = undefined
    line.withdraw()
    this.budget.delist(line)
    if (line.destination instanceof TopicWait) this.dropEmpty(line.destination)
  }

  dropEmpty(wait: TopicWait): void {
    const { topic } = wait
    if (!wait.isEmpty || wait.isPlacing || topic.waiting !== wait) return
    topic.waiting = undefined
    if (topic.view === undefined) this.host.unneeded(topic)
  }

  /** The time of its first record is up, unless that has left meanwhile. */
  due(line: WaitLine): number {
    const now = performance.now()
    this.turns.run(() => {
      const record = line.firstDue(now)
      if (record !== undefined) return this.waitFailures.expire(line, record, now)
      if (line.size > 0 && !line.listed) this.schedule(line)
      this.budget.freed()
      return 0
    })
    return 1
  }

  /** A record that has waited for its topic waits for space at its partition. */
  moveTo(topic: TopicPartitions, queue: PartitionQueue, record: WaitingRecord): void {
    this.enter(this.lineOf(topic, queue), record)
  }

  /** There is space for the line's first record. */
  admitFirst(line: WaitLine): void {
    const record = line.first!
    const { destination, topic } = line
    const { moment, bytes, call, index } = record
    this.budget.waitsNoMore(bytes)
    if (isLastOf(moment, index)) this.host.observer.bufferWaited(performance.now() - moment.startedAt)
    if (destination instanceof TopicWait) {
      // Before it leaves: the topic must not be taken for one that nobody waits for.
      this.budget.take(destination, bytes)
      destination.isMoving = true
      line.remove(record)
      destination.isMoving = false
      this.enter(destination.parked, record)
      call.admitted?.(destination)
      return
    }
    line.remove(record)
    this.placing.placePinned(topic, destination as PartitionQueue, record)
  }

  /** The topic is there: its records are given their partitions, in order, and what comes meanwhile follows them. */
  topicReady(topic: TopicPartitions): void {
    const wait = topic.waiting
    if (wait === undefined || wait.isPlacing) return
    wait.isPlacing = true
    this.budget.delist(wait.line)
    this.turns.run(() => this.placeNext(topic, wait))
  }

  private placeNext(topic: TopicPartitions, wait: TopicWait): number {
    const record = wait.parked.first ?? wait.line.first
    if (record === undefined || topic.view === undefined) {
      wait.isPlacing = false
      // The topic is gone again.
      if (wait.line.size > 0) this.budget.enlist(wait.line)
      if (record !== undefined) this.host.need(topic)
      this.dropEmpty(wait)
      this.budget.freed()
      return 0
    }
    const line = wait.parked.size > 0 ? wait.parked : wait.line
    line.remove(record)
    this.placing.placeWaiting(topic, wait, line, record)
    return 1
  }
}
