import type { Message, RecordMetadata } from 'kafkajs'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { Batch, DeliveryClass } from '../batch/batch.js'
import type { ExpiryList } from '../batch/expiryList.js'
import type { FlushBarriers } from '../batch/flushBarriers.js'
import type { SendCompletion } from '../calls/sendCompletion.js'
import type { PartitionQueueHost } from '../partitions/partitionQueue.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { BufferBudget } from './bufferBudget.js'
import { PendingSend } from './pendingSend.js'
import { type AppendContext, RecordAppender, type RecordOwnerSource } from './recordAppender.js'
import { WaitFailures } from './waitFailures.js'
import { WaitQueues } from './waitQueues.js'

export interface AdmissionSettings {
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
}

export interface AdmissionHost extends PartitionQueueHost {
  /** Records wait for this topic. */
  need(topic: TopicPartitions): void
  /** Nothing waits for this topic any more. */
  unneeded(topic: TopicPartitions): void
  /** Why the topic is not there yet, as far as it is known. */
  problemOf(topic: TopicPartitions): Error | undefined
  /** Space came free. */
  freed(): void
  readonly observer: ProducerObserver
}

const PROMISED: RecordOwnerSource = { ownerIn: batch => batch.promised }

/**
 * The way into the buffer. A record that finds a ready topic and room is encoded at once; the others wait in order
 * ({@link WaitQueues}). Within a topic no call overtakes another.
 */
export class Admission {
  readonly budget: BufferBudget
  private readonly host: AdmissionHost
  private readonly flushBarriers: FlushBarriers
  private readonly appender: RecordAppender
  private readonly waiting: WaitQueues
  /** Ends what waits here. */
  readonly waitFailures: WaitFailures
  private isPumping = false

  constructor(
    settings: AdmissionSettings,
    budget: BufferBudget,
    deadlines: ExpiryList,
    flushBarriers: FlushBarriers,
    host: AdmissionHost,
  ) {
    this.budget = budget
    this.flushBarriers = flushBarriers
    this.host = host
    this.appender = new RecordAppender(host)
    this.waiting = new WaitQueues(settings, budget, deadlines, topic => host.need(topic))
    this.waitFailures = new WaitFailures(settings, budget, this.waiting, host, () => {
      this.pumpShare()
      this.pump()
      host.freed()
    })
  }

  /**
   * Takes one topic's messages of a call. They were validated before.
   *
   * @returns the entry, where some have to wait
   */
  submit(
    topic: TopicPartitions,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
  ): PendingSend | undefined {
    let next = 0
    if (topic.isOpen && this.waiting.spaceLine.size === 0) {
      const flushBarrier = this.flushBarriers.current
      const context = { topic, call, deliveryClass, flushBarrier, startedAt: undefined }
      for (; next < messages.length; next++) {
        const message = messages[next]!
        const bytes = this.appender.sizeOf(message)
        if (!this.budget.fits(bytes)) break
        this.budget.take(bytes)
        this.place(context, message, bytes, next)
      }
      if (next === messages.length) return undefined
    }
    const entry = new PendingSend(
      topic,
      messages,
      call,
      deliveryClass,
      this.flushBarriers.current,
      performance.now(),
      expired => this.waitFailures.expire(expired),
    )
    entry.placed = next
    entry.admitted = next
    if (topic.waitingIn !== undefined) this.waiting.enter(entry, topic.waitingIn)
    else if (this.waiting.spaceLine.size > 0) this.waiting.enter(entry, this.waiting.spaceLine)
    else this.advance(entry)
    return entry.listed ? entry : undefined
  }

  /**
   * The short way for one message of one call, where nothing has to wait.
   *
   * @returns undefined when it cannot be taken at once: then it goes by {@link Admission.submit}
   */
  sendAtOnce(
    topic: TopicPartitions,
    message: Message,
    deliveryClass: DeliveryClass,
  ): Promise<RecordMetadata[]> | undefined {
    const batch = this.takeAtOnce(topic, message, deliveryClass, PROMISED)
    return batch instanceof Error ? Promise.reject(batch) : batch?.promised.add()
  }

  /** As {@link Admission.sendAtOnce}, for a call that is told of its message's end. @returns whether it was taken */
  enqueueAtOnce(
    topic: TopicPartitions,
    message: Message,
    deliveryClass: DeliveryClass,
    call: SendCompletion,
  ): boolean {
    const batch = this.takeAtOnce(topic, message, deliveryClass, call)
    if (batch instanceof Error) call.failedBefore(batch, topic.name, 0, 1)
    return batch !== undefined
  }

  /** @returns the batch that took the message, why none ever will, or undefined where it has to wait */
  private takeAtOnce(
    topic: TopicPartitions,
    message: Message,
    deliveryClass: DeliveryClass,
    waiting: RecordOwnerSource,
  ): Batch | Error | undefined {
    if (!topic.isOpen || this.waiting.spaceLine.size > 0) return undefined
    const bytes = this.appender.sizeOf(message)
    if (!this.budget.fits(bytes)) return undefined
    // Before the partition is chosen: a user's partitioner may send something itself.
    this.budget.take(bytes)
    const { current } = this.flushBarriers
    const batch = this.appender.put(topic, message, bytes, deliveryClass, current, undefined, waiting)
    if (batch instanceof Error) this.failed(batch, topic, bytes)
    return batch
  }

  /** Whether a record of this size would be taken at once, be it only to wait for its topic. */
  hasRoom(topic: TopicPartitions | undefined, bytes: number): boolean {
    if (this.waiting.spaceLine.size > 0 || !this.budget.fits(bytes)) return false
    return topic?.isOpen || (topic?.waitingIn === undefined && this.budget.fitsParked(bytes))
  }

  sizeOf(message: Message): number {
    return this.appender.sizeOf(message)
  }

  private place(context: AppendContext, message: Message, bytes: number, index: number): void {
    const error = this.appender.place(context, message, bytes, index)
    if (error === undefined) return
    const { topic, call } = context
    this.failed(error, topic, bytes)
    call.failedBefore(error, topic.name, index, index + 1)
  }

  private failed(error: Error, { name }: TopicPartitions, bytes: number): void {
    this.budget.give(bytes, 1)
    this.host.observer.recordsFailed(name, 1, error.name)
  }

  /**
   * Admits what fits. An entry that is done leaves; one that is not waits where it has to.
   *
   * @param entry the first of its topic's that wait, or one that is new while none waits
   */
  private advance(entry: PendingSend): void {
    const { topic, messages } = entry
    while (entry.admitted < messages.length) {
      const message = messages[entry.admitted]!
      const bytes = this.appender.sizeOf(message)
      const isReady = topic.view !== undefined && topic.parked.size === 0
      if (!isReady && !this.budget.fitsParked(bytes))
        return this.waiting.waitIn(entry, this.waiting.shareLine)
      if (!this.budget.fits(bytes)) return this.waiting.waitIn(entry, this.waiting.spaceLine)
      this.budget.take(bytes)
      const index = entry.admitted++
      if (isReady) {
        entry.placed++
        this.place(entry, message, bytes, index)
      } else {
        this.waiting.park(entry, bytes)
      }
    }
    if (entry.waitsAt !== undefined) this.host.observer.bufferWaited(performance.now() - entry.startedAt)
    this.waiting.leave(entry)
    if (entry.parkedAt !== undefined) {
      this.waiting.schedule(entry)
      this.host.need(topic)
    } else this.waiting.finish(entry)
  }

  /** Buffer space came free: the next in line take it. */
  pump(): void {
    // Ending a batch inside the loop would start another round within this one.
    if (this.isPumping) return
    this.isPumping = true
    try {
      for (const head of this.waiting.spaceLine) {
        this.advance(head)
        if (head.waitsAt !== undefined && head.topic.waitingIn === this.waiting.spaceLine) break
      }
    } finally {
      this.isPumping = false
    }
  }

  /** The topic is there: what waited for it goes on, in order. */
  topicReady(topic: TopicPartitions): void {
    for (const entry of topic.parked) {
      this.placeParked(entry)
      // Only now: what a failed record's callback sends is parked behind the others, and met by this loop.
      topic.parked.leave(entry.parkedAt!)
      entry.parkedAt = undefined
      if (entry.waitsAt === undefined) this.waiting.finish(entry)
    }
    for (const entry of this.waiting.sharersOf(topic)) {
      if (entry.waitsAt === undefined) continue
      this.advance(entry)
      if (entry.waitsAt !== undefined) break
    }
    this.pumpShare()
    this.pump()
    this.host.freed()
  }

  private placeParked(entry: PendingSend): void {
    const charges = entry.charges.splice(0)
    for (const bytes of charges) {
      const index = entry.placed++
      const message = entry.messages[index]!
      this.budget.parkedBytes -= bytes
      this.appender.sizeOf(message)
      this.place(entry, message, bytes, index)
    }
  }

  /** The share of missing topics has room again. */
  private pumpShare(): void {
    for (const entry of this.waiting.shareLine) {
      this.advance(entry)
      if (entry.waitsAt !== undefined && entry.topic.waitingIn === this.waiting.shareLine) break
    }
  }
}
