import type { ICustomPartitioner, Logger, Message } from 'kafkajs'
import { ProducerClosedError } from '../errors/index.js'
import type { ProducerLevels, ProducerObserver } from '../metrics/observer.js'
import type { TopicDirectory } from '../topics/index.js'
import type { ProduceLinkSource } from '../transport/port.js'
import type { WaitRegistry } from '../waits/registry.js'
import type { Backoff } from './backoff.js'
import { Batch, type DeliveryClass } from './batch/batch.js'
import { BufferPool } from './batch/bufferPool.js'
import { ExpiryList } from './batch/expiryList.js'
import { type FlushBarrier, FlushBarriers } from './batch/flushBarriers.js'
import type { SendCompletion } from './calls/sendCompletion.js'
import type { IdentitySource } from './idempotence/producerIds.js'
import type { ProducerIdentity } from './idempotence/sequences.js'
import { Admission, type AdmissionHost } from './intake/admission.js'
import { BufferBudget } from './intake/bufferBudget.js'
import type { PendingSend } from './intake/pendingSend.js'
import { BatchCompletion } from './outcome/batchCompletion.js'
import { ProduceResponseHandler } from './outcome/responseHandler.js'
import { BatchCompression } from './partitions/batchCompression.js'
import type { BatchLimits } from './partitions/batchSizing.js'
import { KafkajsPartitioner, type Partitioner, StickyPartitioner } from './partitions/partitioner.js'
import type { PartitionQueue } from './partitions/partitionQueue.js'
import { PartitionWaits } from './partitions/partitionWaits.js'
import type { TopicPartitions } from './partitions/topicPartitions.js'
import { SenderPool } from './sending/senderPool.js'
import { TopicRegistry } from './topics/topicRegistry.js'
import type { TransactionHooks } from './transactionHooks.js'
import { Withdrawal } from './withdrawal.js'

export interface EngineSettings {
  readonly batchLimits: BatchLimits
  readonly lingerMs: number
  readonly requestBytes: number
  readonly requestTimeoutMs: number
  readonly bufferBytes: number
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
  readonly maxInFlightPerBroker: number
  readonly retries: number
  readonly retryBackoff: Backoff
  readonly createPartitioner: ICustomPartitioner | undefined
  /** All its records are parts of transactions. */
  readonly transactionalId?: string | undefined
}

export interface EngineParts {
  readonly transport: ProduceLinkSource
  readonly directory: TopicDirectory
  readonly producerIds: IdentitySource
  /** Where several engines share one buffer. */
  readonly budget?: BufferBudget
  readonly transaction?: TransactionHooks | undefined
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly logger: Logger
  /** Failures of records for which nobody waits. */
  readonly onUnownedFailure: (
    error: Error,
    place: { topic: string; partition: number },
    records: number,
  ) => void
  readonly random: () => number
}

/** How long a batch takes records while it cannot be sent. ms */
const LONGEST_OPEN_MS = 1000
const SMALLEST_BODY_BYTES = 512

/** From an accepted message to its end: joins the gate, the queues, the senders and what settles their batches. */
export class DeliveryEngine implements AdmissionHost {
  readonly batchLimits: BatchLimits
  readonly pool: BufferPool
  readonly observer: ProducerObserver
  readonly budget: BufferBudget
  readonly admission: Admission
  readonly withdrawal: Withdrawal
  private readonly settings: EngineSettings
  private readonly parts: EngineParts
  private readonly deadlines = new ExpiryList()
  /** Until when open batches take records: a new one must not search its place among thousands that wait for minutes. */
  private readonly openLimits = new ExpiryList()
  private readonly flushBarriers = new FlushBarriers()
  private readonly completion: BatchCompletion
  private readonly responseHandler: ProduceResponseHandler
  private readonly senders: SenderPool
  private readonly compression: BatchCompression
  private readonly registry: TopicRegistry
  private readonly partition: ReturnType<ICustomPartitioner> | undefined
  private readonly longestOpenMs: number
  /** Called whenever buffer space comes free. */
  onSpace: (() => void) | undefined

  constructor(settings: EngineSettings, parts: EngineParts) {
    this.settings = settings
    this.parts = parts
    this.observer = parts.observer
    this.batchLimits = settings.batchLimits
    this.pool = new BufferPool(Math.min(settings.bufferBytes, 32 * 1024 * 1024))
    this.budget = parts.budget ?? new BufferBudget(settings.bufferBytes)
    this.partition = settings.createPartitioner?.()
    this.longestOpenMs = Math.min(
      settings.deliveryTimeoutMs / 2,
      Math.max(settings.lingerMs, LONGEST_OPEN_MS),
    )
    this.compression = new BatchCompression((queue, batch) => {
      this.recycle(batch)
      queue.sender?.wake(queue)
    })
    const waits = new PartitionWaits(parts.waits)
    this.completion = new BatchCompletion(settings.deliveryTimeoutMs, {
      end: batch => this.end(batch),
      adopt: batch => this.deadlines.add(batch),
      unowned: (queue, error, count) =>
        parts.onUnownedFailure(error, { topic: queue.topic, partition: queue.partition }, count),
      failed: error => parts.transaction?.failed(error),
      observer: parts.observer,
      waits,
    })
    const { retries, retryBackoff: backoff, transactionalId } = settings
    this.responseHandler = new ProduceResponseHandler(
      { retries, backoff, transactionalId },
      {
        learnLeader: (queue, leader, epoch, endpoint) =>
          parts.directory.learnLeader(queue.topic, queue.partition, leader, epoch, endpoint),
        refreshLeaders: (queue, avoidNode) => this.refreshLeaders(queue.topic, avoidNode),
        random: parts.random,
        observer: parts.observer,
        waits,
        logger: parts.logger,
      },
      this.completion,
    )
    this.senders = new SenderPool(settings, {
      transport: parts.transport,
      responseHandler: this.responseHandler,
      completion: this.completion,
      observer: parts.observer,
      waits: parts.waits,
      random: parts.random,
      released: batch => this.recycle(batch),
      suspect: (topic, nodeId) => this.refreshLeaders(topic, nodeId),
    })
    this.admission = new Admission(settings, this.budget, this.deadlines, this.flushBarriers, this)
    this.registry = new TopicRegistry({
      directory: parts.directory,
      senders: this.senders,
      completion: this.completion,
      waits,
      queueHost: this,
      newPartitioner: () => this.newPartitioner(),
      onReady: topic => this.admission.topicReady(topic),
      onFailed: (topic, error) => this.admission.waitFailures.topicFailed(topic, error),
    })
    const { registry, admission, completion, responseHandler } = this
    this.withdrawal = new Withdrawal({ registry, admission, completion, responseHandler })
    parts.producerIds.onRenewed = () => this.wakeAll()
  }

  get levels(): ProducerLevels {
    return {
      bufferedRecords: this.budget.records,
      bufferedBytes: this.budget.usedBytes,
      topicsWaiting: this.parts.directory.waitingTopics,
      requestsInFlight: this.senders.inFlight,
    }
  }

  get identity(): ProducerIdentity | undefined {
    return this.parts.producerIds.current
  }

  renewIdentity(spent: ProducerIdentity): void {
    this.parts.producerIds.renew(spent)
  }

  joinsTransaction(queue: PartitionQueue): boolean {
    return this.parts.transaction?.joins(queue) ?? true
  }

  /** Takes validated messages of one topic. */
  submit(
    topicName: string,
    messages: readonly Message[],
    call: SendCompletion,
    deliveryClass: DeliveryClass,
  ): PendingSend | undefined {
    return this.admission.submit(this.registry.partitionsOf(topicName), messages, call, deliveryClass)
  }

  /** The topic, where records were sent to it before: its name is a valid one. */
  topicPartitions(name: string): TopicPartitions | undefined {
    return this.registry.get(name)
  }

  /** Whether the buffer would take this message at once. */
  hasRoomFor(topicName: string, message: Message): boolean {
    return this.admission.hasRoom(this.registry.get(topicName), this.admission.sizeOf(message))
  }

  /** Whether the buffer, and for a topic that is not there yet its share, is filled less than this (0 to 1). */
  isBelow(mark: number, topicName: string | undefined): boolean {
    const { budget } = this
    if (budget.usedBytes >= budget.limitBytes * mark) return false
    const topic = topicName === undefined ? undefined : this.registry.get(topicName)
    if (topic === undefined || topic.isOpen) return true
    return budget.parkedBytes < budget.parkedLimitBytes * mark
  }

  /** Space came free. */
  freed(): void {
    this.onSpace?.()
  }

  private newPartitioner(): Partitioner {
    if (this.partition !== undefined) return new KafkajsPartitioner(this.partition)
    return new StickyPartitioner(this.parts.random())
  }

  need(topic: TopicPartitions): void {
    this.registry.need(topic)
  }

  unneeded(topic: TopicPartitions): void {
    this.registry.unneeded(topic)
  }

  problemOf({ name }: TopicPartitions): Error | undefined {
    return this.parts.directory.problemOf(name)
  }

  private refreshLeaders(name: string, avoidNode: number | undefined): void {
    this.registry.refreshLeaders(name, avoidNode)
  }

  newBatch(
    queue: PartitionQueue,
    deliveryClass: DeliveryClass,
    flushBarrier: FlushBarrier,
    startedAt: number,
  ): Batch {
    const deadline = startedAt + this.settings.deliveryTimeoutMs
    const body = this.pool.take(SMALLEST_BODY_BYTES)
    const batch = new Batch(deliveryClass, body, performance.now(), deadline, flushBarrier, expired =>
      this.completion.expire(queue, expired),
    )
    batch.expectedBytes = queue.expectedBytes
    // A record that joins an open batch gets the batch's time: one that cannot leave is closed before that matters.
    batch.deadline = Math.min(deadline, batch.createdAt + this.longestOpenMs)
    if (batch.deadline < deadline) this.openLimits.add(batch)
    else this.deadlines.add(batch)
    const topic = this.registry.get(queue.topic)!
    // Marks the topic as used; one that was forgotten for long idleness is asked for again, beside the delivery.
    if (this.parts.directory.topic(queue.topic) === undefined && topic.view !== undefined) {
      this.refreshLeaders(queue.topic, undefined)
    }
    // The batch is not in its queue yet.
    if (queue.sender === undefined) queueMicrotask(() => this.registry.watchLeaderless(topic))
    return batch
  }

  rejectSequenceLost(queue: PartitionQueue, batch: Batch): void {
    this.completion.sequenceLost(queue, batch)
  }

  compress(queue: PartitionQueue, batch: Batch): void {
    this.compression.start(queue, batch, error => {
      if (batch.state === 'ended') this.recycle(batch)
      else this.completion.notCompressed(queue, batch, error)
    })
  }

  private wakeAll(): void {
    for (const topic of this.registry.all) {
      for (const queue of topic.queues) if (queue.batches.length > 0) queue.sender?.wake(queue)
    }
  }

  private end(batch: Batch): void {
    batch.withdraw()
    batch.state = 'ended'
    batch.leaveGenerations()
    this.recycle(batch)
    this.withdrawal.noteEnd()
  }

  /** Gives memory back once the records have ended and no socket reads it any more. */
  private recycle(batch: Batch): void {
    if (batch.state !== 'ended' || batch.pendingWrites > 0 || batch.isRecycled) return
    batch.isRecycled = true
    this.pool.give(batch.body)
    this.budget.give(batch.chargedBytes, batch.chargedRecords)
    this.admission.pump()
    this.freed()
  }

  /** Resolves when everything that was accepted before has ended. */
  flush(): Promise<void> {
    for (const topic of this.registry.all) for (const queue of topic.queues) queue.closeOpen()
    return this.flushBarriers.seal()
  }

  /** Rejects what is left and lets go of every timer and connection. */
  close(): void {
    this.registry.close()
    // What is in flight comes back with what is known of its fate.
    this.responseHandler.close()
    this.senders.close(new ProducerClosedError())
    this.admission.waitFailures.close(
      this.registry.all,
      topic => new ProducerClosedError({ topic, outcome: 'not-written' }),
    )
    for (const topic of this.registry.all) {
      for (const queue of topic.queues) this.completion.abandonAll(queue)
    }
  }
}
