import type { Message } from 'kafkajs'
import { BufferFullError, DeliveryTimeoutError, SendAbortedError } from '../../errors/index.js'
import type { TopicPartitions } from '../partitions/topicPartitions.js'
import type { AdmissionHost, AdmissionSettings } from './admission.js'
import type { BufferBudget } from './bufferBudget.js'
import type { PendingSend } from './pendingSend.js'
import type { WaitQueues } from './waitQueues.js'

/** The ways in which messages end that are in no batch yet: out of time, called back, of a topic that cannot be had. */
export class WaitFailures {
  private readonly settings: AdmissionSettings
  private readonly budget: BufferBudget
  private readonly waiting: WaitQueues
  private readonly host: AdmissionHost
  private readonly goOn: () => void

  /** @param goOn lets others take the room that came free */
  constructor(
    settings: AdmissionSettings,
    budget: BufferBudget,
    waiting: WaitQueues,
    host: AdmissionHost,
    goOn: () => void,
  ) {
    this.settings = settings
    this.budget = budget
    this.waiting = waiting
    this.host = host
    this.goOn = goOn
  }

  /** The topic cannot be had: what waits for it ends. */
  topicFailed(topic: TopicPartitions, error: Error): void {
    // What a failed record's callback sends is not among them: the topic is asked for again.
    for (const entry of new Set([...topic.parked, ...this.waiting.sharersOf(topic)])) {
      if (entry.listed) this.end(entry, error)
    }
    this.goOn()
  }

  private end(entry: PendingSend, error: Error): void {
    const { topic, call, messages } = entry
    this.waiting.unpark(entry)
    this.waiting.leave(entry)
    this.waiting.finish(entry)
    const from = entry.placed
    entry.placed = messages.length
    entry.admitted = messages.length
    if (from === messages.length) return
    this.host.observer.recordsFailed(topic.name, messages.length - from, error.name)
    call.failedBefore(error, topic.name, from, messages.length)
    this.releaseTopic(topic)
  }

  private releaseTopic(topic: TopicPartitions): void {
    if (topic.parked.size === 0 && topic.waiting === 0) this.host.unneeded(topic)
  }

  /** Its time to wait is over. */
  expire(entry: PendingSend): void {
    const { topic, call, messages } = entry
    const waitedMs = performance.now() - entry.startedAt
    const { maxBlockMs, deliveryTimeoutMs } = this.settings
    const from = entry.admitted
    if (from < messages.length && maxBlockMs < deliveryTimeoutMs) {
      // Only those without a place end now; those that are parked keep their delivery time.
      this.waiting.leave(entry)
      entry.admitted = messages.length
      const error = new BufferFullError(topic.name, { bufferBytes: this.budget.limitBytes, waitedMs })
      this.host.observer.bufferWaited(waitedMs)
      this.host.observer.recordsFailed(topic.name, messages.length - from, error.name)
      if (entry.parkedAt !== undefined) this.shorten(entry, from)
      else this.waiting.finish(entry)
      call.failedBefore(error, topic.name, from, messages.length)
      this.releaseTopic(topic)
    } else {
      const error = new DeliveryTimeoutError(topic.name, {
        deliveryTimeoutMs,
        attempts: 0,
        outcome: 'not-written',
        waitingFor: topic.view === undefined ? 'the topic to become available' : 'buffer space',
        cause: topic.view === undefined ? this.host.problemOf(topic) : undefined,
      })
      this.end(entry, error)
    }
    this.goOn()
  }

  /** Goes on with the parked messages alone. */
  private shorten(entry: PendingSend, to: number): void {
    ;(entry as { messages: readonly Message[] }).messages = entry.messages.slice(0, to)
    entry.admitted = to
    this.waiting.schedule(entry)
  }

  abort(entry: PendingSend, reason: unknown): void {
    if (!entry.listed) return
    this.end(entry, new SendAbortedError(entry.topic.name, { cause: reason }))
    this.goOn()
  }

  /** Ends everything that is in no batch. */
  close(topics: Iterable<TopicPartitions>, error: (topic: string) => Error): void {
    const waiting = new Set([...this.waiting.spaceLine, ...this.waiting.shareLine])
    for (const topic of topics) for (const entry of topic.parked) waiting.add(entry)
    for (const entry of waiting) if (entry.listed) this.end(entry, error(entry.topic.name))
  }
}
