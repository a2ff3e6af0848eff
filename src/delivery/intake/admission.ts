import type { Message, RecordMetadata } from 'kafkajs'
import { NonRetriableError } from '../../errors/bases.js'
import { BufferFullError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { Batch, DeliveryClass } from '../batch/batch.js'
import { ExpiryList } from '../batch/expiryList.js'
import type { FlushBarriers } from '../batch/flushBarriers.js'
import type { SendCompletion } from '../calls/sendCompletion.js'
import { WaitingSends } from '../calls/waitingSends.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { TurnWork } from '../turns.js'
import type { AdmissionHost } from './admissionHost.js'
import type { BufferBudget } from './bufferBudget.js'
import {
  type AppendContext,
  type PartitionChoice,
  RecordAppender,
  type RecordOwnerSource,
} from './recordAppender.js'
import type { Destination } from './shares.js'
import { spacePatienceMs, TopicWait, type WaitLimits } from './topicWait.js'
import { WaitFailures } from './waitFailures.js'
import { type CallMoment, isLastOf, type LineOwner, WaitingRecord, WaitLine } from './waitLine.js'

const PROMISED: RecordOwnerSource = { ownerIn: batch => batch.promised }

/** So many records of one call are encoded at once; the others follow in later turns of the event loop. */
const RECORDS_AT_ONCE = 4000
/** Calls that come within this time share a moment. ms */
const SAME_MOMENT_MS = 1

/** The call's message is the last one of the batch. */
const notePlaced = (call: SendCompletion, batch: Batch, index: number): void => {
  const owner = call.ownerIn(batch, index)
  call.placed(owner, index)
  if (call.links !== undefined && owner !== null) call.links.placed(batch, owner)
}

/** There is no room for a record at its destination. */
export class Refused {
  readonly destination: Destination

  constructor(destination: Destination) {
    this.destination = destination
  }
}

/**
 * The way into the buffer. A record that finds its topic there and room is encoded at once; the others wait in order, each in the
 * queue of its own destination ({@link WaitLine}).
 */
export class Admission implements LineOwner {
  /** Ends what waits here. */
  readonly waitFailures: WaitFailures
  private readonly limits: WaitLimits
  private readonly host: AdmissionHost
  private readonly budget: BufferBudget
  private readonly flushBarriers: FlushBarriers
  private readonly turns: TurnWork
  private readonly appender: RecordAppender
  /** When records that wait for space, and those that wait for their topics, are out of time. */
  private readonly deadlines = { space: new ExpiryList(), admitted: new ExpiryList() }
  private moment: CallMoment | undefined
  private context: AppendContext | undefined
  private sends = new WaitingSends()

  constructor(limits: WaitLimits, flushBarriers: FlushBarriers, turns: TurnWork, host: AdmissionHost) {
    this.limits = limits
    this.budget = host.budget
    this.flushBarriers = flushBarriers
    this.turns = turns
    this.host = host
    this.appender = new RecordAppender(host)
    this.waitFailures = new WaitFailures(limits, host, turns)
  }

  /** What the buffer counts for the message that was handed over last. */
  get measuredBytes(): number {
    return this.appender.measuredBytes
  }

  /** One message of one call: the short way, where nothing has to wait. */
  sendOne(topic: TopicPartitions, message: Message, deliveryClass: DeliveryClass): Promise<RecordMetadata[]> {
    const bytes = this.appender.sizeOf(message)
    let queue: PartitionQueue | undefined
    if (topic.isOpen) {
      const { current } = this.flushBarriers
      const taken = this.appender.appendKeyless(topic, message, bytes, deliveryClass, current, PROMISED, 0)
      if (taken !== undefined) {
        this.budget.take(taken.queue!, bytes)
        return taken.promised.add()
      }
      const routed = this.appender.route(topic, message, bytes, deliveryClass)
      if (routed instanceof Error) return Promise.reject(this.failed(routed, topic))
      if (routed.canTake(bytes)) {
        const batch = this.put(topic, routed, message, bytes, this.contextOf(deliveryClass), PROMISED, 0)
        return batch instanceof Error ? Promise.reject(batch) : batch.promised.add()
      }
      queue = routed
    }
    if (this.sends.isFull) this.sends = new WaitingSends()
    const { sends } = this
    const moment = this.momentOf(deliveryClass)
    return this.wait(topic, queue, message, sends, sends.nextIndex, moment, bytes)
      ? sends.add()
      : Promise.reject(this.refusal(topic, 1))
  }

  /** Takes one topic's messages of a call, which were validated before. */
  submit(
    topic: TopicPartitions,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
    patience: 'maxBlockMs' | 'endless' = 'maxBlockMs',
  ): void {
    const moment: CallMoment = {
      deliveryClass,
      flushBarrier: this.flushBarriers.current,
      startedAt: performance.now(),
      isPatient: patience === 'endless',
      lastIndex: messages.length - 1,
    }
    const now = this.contextOf(deliveryClass)
    for (let index = 0; index < messages.length; index++) {
      const error =
        call.links?.withdrawnBy ?? this.submitOne(topic, messages[index]!, call, index, moment, now)
      if (error === undefined) continue
      this.host.observer.recordsFailed(topic.name, messages.length - index, error.name)
      call.failedBefore(error, topic.name, index, messages.length)
      break
    }
    if (topic.view !== undefined && topic.waiting !== undefined) this.topicReady(topic)
  }

  /** @returns why neither this message nor those behind it are taken */
  private submitOne(
    topic: TopicPartitions,
    message: Message,
    call: SendCompletion,
    index: number,
    moment: CallMoment,
    context: AppendContext,
  ): Error | undefined {
    const bytes = this.appender.sizeOf(message)
    let queue: PartitionQueue | undefined
    // The others follow in later turns, and what comes behind them stands behind them.
    if (topic.isOpen && index < RECORDS_AT_ONCE) {
      const { deliveryClass, flushBarrier } = context
      const taken = this.appender.appendKeyless(
        topic,
        message,
        bytes,
        deliveryClass,
        flushBarrier,
        call,
        index,
      )
      if (taken !== undefined) {
        this.budget.take(taken.queue!, bytes)
        notePlaced(call, taken, index)
        return undefined
      }
      const routed = this.appender.route(topic, message, bytes, deliveryClass)
      if (call.links?.withdrawnBy !== undefined) return call.links.withdrawnBy
      if (routed instanceof Error || routed.canTake(bytes)) {
        this.place(topic, routed, message, bytes, context, call, index)
        return undefined
      }
      queue = routed
    }
    const hasPlace = this.wait(topic, queue, message, call, index, moment, bytes)
    return hasPlace ? undefined : this.fullError(topic)
  }

  /**
   * Takes a message if there is room for it, be it only to wait for its topic.
   *
   * @returns where it is, if it has not ended at once
   */
  enqueue(
    topic: TopicPartitions,
    message: Message,
    deliveryClass: DeliveryClass,
    call: SendCompletion,
  ): Destination | Refused | undefined {
    const bytes = this.appender.sizeOf(message)
    if (!topic.isOpen) return this.enqueueForTopic(topic, message, bytes, deliveryClass, call)
    const { current } = this.flushBarriers
    const taken = this.appender.appendKeyless(topic, message, bytes, deliveryClass, current, call, 0)
    if (taken !== undefined) {
      this.budget.take(taken.queue!, bytes)
      return taken.queue
    }
    const queue = this.appender.route(topic, message, bytes, deliveryClass)
    if (!(queue instanceof Error) && !queue.canTake(bytes)) return new Refused(queue)
    this.place(topic, queue, message, bytes, this.contextOf(deliveryClass), call, 0)
    return queue instanceof Error ? undefined : queue
  }

  private enqueueForTopic(
    topic: TopicPartitions,
    message: Message,
    bytes: number,
    deliveryClass: DeliveryClass,
    call: SendCompletion,
  ): Destination | Refused {
    const wait = this.waitOf(topic)
    // While its records are given their partitions it takes more, for the turns that this lasts.
    const isTaken = wait.isPlacing ? this.budget.mayWait(bytes) : this.canPark(wait, bytes)
    if (isTaken) this.wait(topic, undefined, message, call, 0, this.momentOf(deliveryClass), bytes)
    else this.dropEmpty(wait)
    return isTaken ? wait : new Refused(wait)
  }

  private place(
    topic: TopicPartitions,
    queue: PartitionQueue | Error,
    message: Message,
    bytes: number,
    context: AppendContext,
    call: SendCompletion,
    index: number,
    choice: PartitionChoice = 'free',
  ): void {
    const batch =
      queue instanceof Error
        ? this.failed(queue, topic)
        : this.put(topic, queue, message, bytes, context, call, index, choice)
    if (batch instanceof Error) return call.failedBefore(batch, topic.name, index, index + 1)
    notePlaced(call, batch, index)
  }

  /** @returns the batch that took the record, or why none does */
  private put(
    topic: TopicPartitions,
    queue: PartitionQueue,
    message: Message,
    bytes: number,
    context: AppendContext,
    owners: RecordOwnerSource,
    index: number,
    choice: PartitionChoice = 'free',
  ): Batch | Error {
    let batch: Batch
    try {
      batch = this.appender.append(topic, queue, message, bytes, context, owners, index, choice)
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error))
      const place = { topic: topic.name, partition: queue.partition, outcome: 'not-written', cause } as const
      return this.failed(new NonRetriableError(`A record was not encoded: ${cause.message}`, place), topic)
    }
    // A full batch may have sent it on to another partition.
    this.budget.take(batch.queue!, bytes)
    return batch
  }

  private failed(error: Error, { name }: TopicPartitions): Error {
    this.host.observer.recordsFailed(name, 1, error.name)
    return error
  }

  private fullError({ name }: TopicPartitions): Error {
    const { limitBytes: bufferBytes, maxWaitingBytes } = this.budget
    return withoutStack(() => new BufferFullError(name, { bufferBytes, waitedMs: 0, maxWaitingBytes }))
  }

  private refusal(topic: TopicPartitions, records: number): Error {
    const error = this.fullError(topic)
    this.host.observer.recordsFailed(topic.name, records, error.name)
    return error
  }

  /** Of records that are taken at once: calls of one class share it. */
  private contextOf(deliveryClass: DeliveryClass): AppendContext {
    const flushBarrier = this.flushBarriers.current
    const { context } = this
    if (context?.deliveryClass === deliveryClass && context.flushBarrier === flushBarrier) return context
    this.context = { deliveryClass, flushBarrier, startedAt: undefined }
    return this.context
  }

  private momentOf(deliveryClass: DeliveryClass): CallMoment {
    const startedAt = performance.now()
    const flushBarrier = this.flushBarriers.current
    const { moment } = this
    const isSame =
      moment !== undefined &&
      moment.deliveryClass === deliveryClass &&
      moment.flushBarrier === flushBarrier &&
      startedAt - moment.startedAt < SAME_MOMENT_MS
    if (isSame) return moment
    this.moment = { deliveryClass, flushBarrier, startedAt, isPatient: false, lastIndex: -1 }
    return this.moment
  }

  /**
   * Lets a record wait: for its topic, or for space.
   *
   * @param queue its partition, if the topic is there
   * @returns false where too much waits already
   */
  private wait(
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

  private waitOf(topic: TopicPartitions): TopicWait {
    topic.waiting ??= new TopicWait(topic, this.budget.immobile, this.limits, this)
    return topic.waiting
  }

  private lineOf(topic: TopicPartitions, queue: PartitionQueue): WaitLine {
    queue.line ??= new WaitLine(queue, 'space', topic, spacePatienceMs(this.limits), this)
    return queue.line
  }

  private canPark(wait: TopicWait, bytes: number): boolean {
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

  private dropEmpty(wait: TopicWait): void {
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

  /** There is space for the line's first record. */
  admitFirst(line: WaitLine): void {
    const record = line.first!
    const { destination, topic } = line
    const { moment, bytes, message, call, index } = record
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
    this.place(topic, destination as PartitionQueue, message, bytes, moment, call, index, 'pinned')
    moment.flushBarrier.done()
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
    this.placeWaiting(topic, wait, line, record)
    return 1
  }

  private placeWaiting(topic: TopicPartitions, wait: TopicWait, line: WaitLine, record: WaitingRecord): void {
    const { message, call, index, moment, bytes } = record
    if (line.kind === 'admitted') this.budget.give(wait, bytes, 1)
    const queue = call.links?.withdrawnBy ?? this.appender.route(topic, message, bytes, moment.deliveryClass)
    // A user's partitioner may have aborted the call.
    const end = call.links?.withdrawnBy ?? queue
    if (line.kind === 'space' && !(end instanceof Error) && !end.canTake(bytes)) {
      return this.enter(this.lineOf(topic, end), record)
    }
    if (line.kind === 'space') this.budget.waitsNoMore(bytes)
    this.place(topic, end, message, bytes, moment, call, index)
    moment.flushBarrier.done()
  }

  /** Leaves no timer. */
  close(): void {
    for (const line of this.waitFailures.lines) line.withdraw()
  }
}
