import { withOutcome } from '../../errors/bases.js'
import { failureType } from '../../metadata/retry/failure.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { ProduceLinkSource } from '../../transport/port.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Backoff } from '../backoff.js'
import type { Batch } from '../batch/batch.js'
import type { BrokerStatus } from '../brokers/brokerStatus.js'
import { BufferPool } from '../buffer/bufferPool.js'
import type { ShareGroup } from '../buffer/shares.js'
import type { BatchCompletion } from '../outcome/batchCompletion.js'
import type { ProduceResponseHandler } from '../outcome/responseHandler.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionSender } from '../partitions/partitionQueueHost.js'
import type { InFlightBatch } from '../requests/inFlightRequest.js'
import { Sender } from './sender.js'
import type { SenderSettings } from './senderHost.js'

/** One more batch is not added to a request of this size. bytes */
const REQUEST_TARGET_BYTES = 4 * 1024 * 1024
/** A leader that says nothing for this long is asked for at another broker. ms */
const STALL_MS = 1000
const CONNECT_BACKOFF: Backoff = { minMs: 50, maxMs: 1000, factor: 2 }
const KEPT_FRAME_BYTES = 1024 * 1024
/** How long the latency of the quickest broker is taken to hold. ms */
const QUICKEST_HOLDS_MS = 100

export interface SenderPoolSettings {
  readonly maxInFlightPerBroker: number
  readonly lingerMs: number
  readonly requestBytes: number
  readonly requestTimeoutMs: number
  readonly transactionalId?: string | undefined
}

export interface SenderPoolParts {
  readonly transport: ProduceLinkSource
  readonly responseHandler: ProduceResponseHandler
  readonly completion: BatchCompletion
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly random: () => number
  released(batch: Batch): void
  /** The broker's records cannot move, or can again. */
  stuck(share: ShareGroup, isStuck: boolean): void
  suspect(topic: string, nodeId: number): void
}

/** The senders, one per broker, and which of them a queue goes to. */
export class SenderPool {
  private readonly settings: SenderSettings
  private readonly parts: SenderPoolParts
  private readonly senders = new Map<number, Sender>()
  private readonly frames = new BufferPool(KEPT_FRAME_BYTES)
  private quickest = 0
  private quickestAt = -Infinity

  constructor(settings: SenderPoolSettings, parts: SenderPoolParts) {
    this.settings = {
      maxInFlight: settings.maxInFlightPerBroker,
      lingerMs: settings.lingerMs,
      requestTargetBytes: Math.min(settings.requestBytes, REQUEST_TARGET_BYTES),
      requestTimeoutMs: settings.requestTimeoutMs,
      connectBackoff: CONNECT_BACKOFF,
      stallMs: STALL_MS,
      transactionalId: settings.transactionalId,
    }
    this.parts = parts
  }

  /** How each broker serves that has been sent to. */
  get statuses(): readonly BrokerStatus[] {
    return [...this.senders.values()].map(({ status }) => status)
  }

  get inFlight(): number {
    let sum = 0
    for (const sender of this.senders.values()) sum += sender.inFlight
    return sum
  }

  /**
   * @param nodeId the partition's leader; -1: none
   * @param leaderEpoch -1: not known
   */
  lead(queue: PartitionQueue, nodeId: number, leaderEpoch = -1): void {
    const former = queue.sender === undefined ? undefined : this.senders.get(queue.sender.nodeId)
    // The new leader has acknowledged nothing yet: until it has, it would take any sequence for the first. So would
    // one that led before, lost the office and has it again.
    if (former?.nodeId !== nodeId || leaderEpoch > queue.leaderEpoch) queue.producerState.leaderChanged()
    queue.leaderEpoch = leaderEpoch
    if (former?.nodeId === nodeId || (former === undefined && nodeId < 0)) return
    former?.leave(queue)
    queue.sender = nodeId < 0 ? undefined : this.senderOf(nodeId)
    queue.setRetrying(false)
    queue.joinGroup()
    for (const batch of queue.batches) batch.retryAt = 0
    if (queue.sender !== undefined && queue.batches.length > 0) queue.sender.wake(queue)
    if (queue.inFlight > 0) former?.reviewDeposed()
  }

  /** The latency of the quickest broker; 0: not known yet. ms */
  private get quickestMs(): number {
    const now = performance.now()
    if (now - this.quickestAt < QUICKEST_HOLDS_MS) return this.quickest
    this.quickestAt = now
    let quickest = Infinity
    for (const { latencyMs } of this.senders.values())
      if (latencyMs > 0 && latencyMs < quickest) quickest = latencyMs
    this.quickest = quickest === Infinity ? 0 : quickest
    return this.quickest
  }

  /** The sender to a broker, where there is one already. */
  senderTo(nodeId: number): PartitionSender | undefined {
    return this.senders.get(nodeId)
  }

  /** The queue is given back. */
  release(queue: PartitionQueue): void {
    if (queue.sender !== undefined) this.senders.get(queue.sender.nodeId)?.leave(queue)
    queue.sender = undefined
  }

  private senderOf(nodeId: number): Sender {
    const known = this.senders.get(nodeId)
    if (known !== undefined) return known
    const { transport, responseHandler, completion, observer, waits, random } = this.parts
    const sender = new Sender(nodeId, this.settings, {
      quickestMs: () => this.quickestMs,
      openLink: id => transport.openProduceLink(id),
      isAlive: id => transport.isAlive(id),
      pending: id => transport.pending(id),
      departed: (inFlightBatches, now) => this.observeDeparture(inFlightBatches, nodeId, now),
      answered: (inFlightBatch, answer, endpoint) =>
        responseHandler.answered(inFlightBatch, answer, nodeId, endpoint),
      written: inFlightBatch => responseHandler.written(inFlightBatch),
      lost: (inFlightBatch, error, sent, isExcused) =>
        responseHandler.lost(inFlightBatch, error, sent, isExcused, nodeId),
      unreadable: (queue, batch) => completion.codecUnknown(queue, batch, nodeId),
      released: inFlightBatches => {
        for (const { batch } of inFlightBatches) {
          batch.pendingWrites--
          this.parts.released(batch)
        }
      },
      suspect: (queues, id) => {
        const topics = new Set<string>()
        for (const queue of queues) topics.add(queue.topic)
        for (const topic of topics) this.parts.suspect(topic, id)
      },
      unusable: (queues, error) => {
        for (const queue of queues) completion.rejectAll(queue, withOutcome(error, 'not-written'))
      },
      stuck: (share, isStuck) => this.parts.stuck(share, isStuck),
      takeFrame: bytes => this.frames.take(bytes),
      giveFrame: frame => this.frames.give(frame),
      waits,
      observer,
      random,
    })
    this.senders.set(nodeId, sender)
    return sender
  }

  private observeDeparture(inFlightBatches: readonly InFlightBatch[], nodeId: number, now: number): void {
    for (const { topic, batch } of inFlightBatches) {
      const reason = batch.lastCause === undefined ? 'other' : failureType(batch.lastCause)
      batch.attemptLog?.sent(batch.attempts, nodeId, now, reason)
      if (batch.attempts > 1) {
        this.parts.observer.recordsRetried(topic, batch.recordCount, reason)
        continue
      }
      this.parts.observer.batchSent(
        topic,
        batch.recordCount,
        batch.wireBytes,
        batch.bodyBytes,
        now - batch.createdAt,
      )
    }
  }

  close(error: Error): void {
    for (const sender of this.senders.values()) sender.close(error)
  }
}
