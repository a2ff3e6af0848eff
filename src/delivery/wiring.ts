import type { ICustomPartitioner } from 'kafkajs'
import { ProducerClosedError } from '../errors/index.js'
import { withoutStack } from '../errors/withoutStack.js'
import type { ProducerObserver } from '../metrics/observer.js'
import type { WaitRegistry } from '../waits/registry.js'
import { Batch } from './batch/batch.js'
import type { DeliveryClass } from './batch/deliveryClass.js'
import { ExpiryList } from './batch/expiryList.js'
import { type FlushBarrier, FlushBarriers } from './batch/flushBarriers.js'
import type { ProducerIdentity } from './batch/producerIdentity.js'
import { BufferBudget } from './buffer/bufferBudget.js'
import { BufferPool } from './buffer/bufferPool.js'
import type { Destination } from './buffer/shares.js'
import type { EngineParts, EngineSettings } from './engineParts.js'
import { StartingIdentity } from './idempotence/startingIdentity.js'
import { Admission } from './intake/admission.js'
import { BatchCompletion } from './outcome/batchCompletion.js'
import { ProduceResponseHandler } from './outcome/responseHandler.js'
import { KafkajsPartitioner, type Partitioner, StickyPartitioner } from './partitioning/partitioner.js'
import { BatchCompression } from './partitions/batchCompression.js'
import type { BatchLimits } from './partitions/batchSizing.js'
import { BusyQueues } from './partitions/busyQueues.js'
import type { PartitionQueue } from './partitions/partitionQueue.js'
import { PartitionWaits } from './partitions/partitionWaits.js'
import { SenderPool } from './sending/senderPool.js'
import { TopicRegistry } from './topics/topicRegistry.js'
import { TurnWork } from './turns.js'
import type { AdmissionHost } from './waiting/admissionHost.js'
import type { TopicPartitions } from './waiting/topicPartitions.js'
import { Withdrawal } from './withdrawal.js'

/** How long a batch takes records while it cannot be sent. ms */
const LONGEST_OPEN_MS = 1000
const SMALLEST_BODY_BYTES = 512

/** Makes the parts of an engine, and joins them: the gate, the queues, the senders and what settles their batches. */
export class Wiring implements AdmissionHost {
  readonly batchLimits: BatchLimits
  readonly pool: BufferPool
  readonly observer: ProducerObserver
  readonly budget: BufferBudget
  readonly busy = new BusyQueues()
  readonly turns = new TurnWork()
  readonly flushBarriers = new FlushBarriers()
  readonly admission: Admission
  readonly withdrawal: Withdrawal
  readonly registry: TopicRegistry
  readonly senders: SenderPool
  readonly completion: BatchCompletion
  private readonly startingIdentity: StartingIdentity
  private readonly settings: EngineSettings
  private readonly parts: EngineParts
  private readonly deadlines = new ExpiryList()
  /** Until when open batches take records: apart, since theirs are of another length. */
  private readonly openLimits = new ExpiryList()
  private readonly responseHandler: ProduceResponseHandler
  private readonly compression: BatchCompression
  readonly waits: WaitRegistry
  private readonly partitionWaits: PartitionWaits
  private readonly partition: ReturnType<ICustomPartitioner> | undefined
  private readonly longestOpenMs: number

  constructor(settings: EngineSettings, parts: EngineParts) {
    this.settings = settings
    this.parts = parts
    this.observer = parts.observer
    this.batchLimits = settings.batchLimits
    this.pool = new BufferPool(Math.min(settings.bufferBytes, 32 * 1024 * 1024))
    this.startingIdentity = new StartingIdentity(parts.producerIds)
    this.budget = parts.buffer ?? new BufferBudget(settings.bufferBytes, settings.maxWaitingBytes)
    this.waits = parts.waits
    this.partitionWaits = new PartitionWaits(parts.waits)
    this.partition = settings.createPartitioner?.()
    this.longestOpenMs = Math.min(
      settings.deliveryTimeoutMs / 2,
      Math.max(settings.lingerMs, LONGEST_OPEN_MS),
    )
    this.compression = new BatchCompression((queue, batch) => {
      this.recycle(batch)
      queue.wake()
    })
    this.completion = this.newCompletion()
    this.responseHandler = this.newResponseHandler()
    this.senders = this.newSenders()
    this.admission = new Admission(settings, this.flushBarriers, this.turns, this)
    const { waitFailures } = this.admission
    this.registry = new TopicRegistry({
      directory: parts.directory,
      senders: this.senders,
      completion: this.completion,
      waits: this.partitionWaits,
      queueHost: this,
      maxIdleMs: settings.metadataMaxIdleMs,
      // A transactional producer's epoch is its coordinator's: a queue could not begin in another one.
      mayGiveBack: ({ producerState }) =>
        settings.transactionalId === undefined || producerState.identity === undefined,
      onGivenBack: queue => {
        const { identity } = queue.producerState
        this.withdrawal.forget(queue)
        if (identity !== undefined) this.startingIdentity.retired(identity)
      },
      onSwept: () => this.pool.shrink(),
      newPartitioner: () => this.newPartitioner(),
      onReady: topic => this.admission.waits.topicReady(topic),
      onPartitionGone: (queue, error) => waitFailures.partitionGone(queue, error),
      onFailed: (topic, error) => waitFailures.topicFailed(topic, error),
    })
    const { budget, busy, completion, responseHandler } = this
    this.withdrawal = new Withdrawal({ budget, busy, waitFailures, completion, responseHandler })
    parts.producerIds.onRenewed = () => {
      for (const queue of this.busy.all) queue.wake()
    }
  }

  private newCompletion(): BatchCompletion {
    const { parts, pool, turns } = this
    return new BatchCompletion(this.settings.deliveryTimeoutMs, {
      end: batch => this.end(batch),
      adopt: batch => this.deadlines.add(batch),
      unowned: (queue, error, count) =>
        parts.onUnownedFailure(error, { topic: queue.topic, partition: queue.partition }, count),
      failed: error => parts.transaction?.failed(error),
      dropped: (queue, bytes, records) => this.free(queue, bytes, records),
      pool,
      turns,
      observer: parts.observer,
      waits: this.partitionWaits,
      identityProblem: () => parts.transaction?.problem ?? parts.producerIds.problem,
    })
  }

  private newResponseHandler(): ProduceResponseHandler {
    const { parts } = this
    const { retries, retryBackoff: backoff, transactionalId } = this.settings
    return new ProduceResponseHandler(
      { retries, backoff, transactionalId },
      {
        learnLeader: (queue, leader, epoch, endpoint) =>
          parts.directory.learnLeader(queue.topic, queue.partition, leader, epoch, endpoint),
        refreshLeaders: (queue, avoidNode) => this.refreshLeaders(queue.topic, avoidNode),
        random: parts.random,
        observer: parts.observer,
        waits: this.partitionWaits,
        logger: parts.logger,
      },
      this.completion,
    )
  }

  private newSenders(): SenderPool {
    const { parts } = this
    return new SenderPool(this.settings, {
      transport: parts.transport,
      responseHandler: this.responseHandler,
      completion: this.completion,
      observer: parts.observer,
      waits: parts.waits,
      random: parts.random,
      released: batch => this.recycle(batch),
      stuck: (share, isStuck) => this.budget.setStuck(share, isStuck),
      suspect: (topic, nodeId) => this.refreshLeaders(topic, nodeId),
    })
  }

  obtainIdentity(): ProducerIdentity | undefined {
    return this.startingIdentity.obtain()
  }

  get waitingTopics(): number {
    return this.parts.directory.waitingTopics
  }

  /** When the call of the oldest record was made that has not ended; Infinity: there is none. ms on the clock of `performance.now()` */
  get oldestRecordAt(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { batches } of this.busy.all) {
      const [first] = batches
      if (first !== undefined) oldest = Math.min(oldest, first.createdAt)
    }
    for (const { waitingSince = oldest } of this.admission.waitFailures.lines)
      oldest = Math.min(oldest, waitingSince)
    return oldest
  }

  renewIdentity(spent: ProducerIdentity): void {
    this.parts.producerIds.renew(spent)
  }

  ensureInTransaction(queue: PartitionQueue): boolean {
    return this.parts.transaction?.ensureAdded(queue) ?? true
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
    if (this.parts.transaction !== undefined) this.withdrawal.noteUse(queue)
    // Marks the topic as used; one that was forgotten for long idleness is asked for again, beside the delivery.
    if (this.parts.directory.topic(queue.topic) === undefined && topic.view !== undefined) {
      this.refreshLeaders(queue.topic, undefined)
    }
    // The batch is not in its queue yet.
    if (queue.sender === undefined) queueMicrotask(() => this.registry.watchLeader(topic, queue))
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

  dropWithdrawn(queue: PartitionQueue, batch: Batch): void {
    this.completion.dropWithdrawn(queue, batch)
  }

  private end(batch: Batch): void {
    batch.withdraw()
    batch.state = 'ended'
    batch.leaveFlushBarriers()
    this.recycle(batch)
    this.withdrawal.noteEnd()
  }

  /** Gives memory back once the records have ended and no socket reads it any more. */
  private recycle(batch: Batch): void {
    if (batch.state !== 'ended' || batch.pendingWrites > 0 || batch.isRecycled) return
    batch.isRecycled = true
    this.pool.give(batch.body)
    this.free(batch.queue!, batch.chargedBytes, batch.chargedRecords)
  }

  private free(queue: Destination, bytes: number, records: number): void {
    this.budget.give(queue, bytes, records)
    this.budget.freed()
  }

  /** Rejects what is left and lets go of every timer and connection. Resolves when all of it has been told. */
  close(): Promise<void> {
    this.registry.close()
    // What is in flight comes back with what is known of its outcome.
    this.responseHandler.close()
    this.senders.close(new ProducerClosedError())
    this.admission.waitFailures.all(topic =>
      withoutStack(() => new ProducerClosedError({ topic, outcome: 'not-written' })),
    )
    for (const queue of this.busy.all) this.completion.abandonAll(queue)
    return this.turns.whenIdle()
  }
}
