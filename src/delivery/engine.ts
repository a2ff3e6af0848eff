import type { ICustomPartitioner, Logger, Message } from 'kafkajs'
import { ProducerClosedError } from '../errors/index.js'
import type { ProducerLevels, ProducerObserver } from '../metrics/observer.js'
import type { TopicDirectory } from '../topics/index.js'
import type { ProduceLinkSource } from '../transport/port.js'
import { Admission, type AdmissionHost } from './admission.js'
import type { Backoff } from './backoff.js'
import { Batch, type DeliveryClass } from './batch.js'
import { BufferBudget } from './budget.js'
import { BufferPool } from './bufferPool.js'
import type { Call } from './call.js'
import { Compression } from './compressing.js'
import { Deadlines } from './deadlines.js'
import { Endings } from './endings.js'
import { type Generation, Generations } from './generations.js'
import type { BatchLimits, Lane } from './lane.js'
import { KafkajsPartitioner, type Partitioner, StickyPartitioner } from './partitioner.js'
import type { IdentitySource } from './producerIds.js'
import { Recall } from './recall.js'
import type { SendEntry } from './sendEntry.js'
import { SenderPool } from './senderPool.js'
import type { ProducerIdentity } from './sequences.js'
import { Settlement } from './settlement.js'
import type { TopicLanes } from './topicLanes.js'
import { TopicRoster } from './topicRoster.js'
import type { TransactionHooks } from './transactionHooks.js'

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

/** From an accepted message to its end: joins the gate, the lanes, the senders and what settles their batches. */
export class DeliveryEngine implements AdmissionHost {
  readonly batchLimits: BatchLimits
  readonly pool: BufferPool
  readonly observer: ProducerObserver
  readonly budget: BufferBudget
  readonly admission: Admission
  readonly recall: Recall
  private readonly settings: EngineSettings
  private readonly parts: EngineParts
  private readonly deadlines = new Deadlines()
  /** Until when open batches take records: a new one must not search its place among thousands that wait for minutes. */
  private readonly openLimits = new Deadlines()
  private readonly generations = new Generations()
  private readonly endings: Endings
  private readonly settlement: Settlement
  private readonly senders: SenderPool
  private readonly compression: Compression
  private readonly roster: TopicRoster
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
    this.compression = new Compression((lane, batch) => {
      this.recycle(batch)
      lane.sender?.wake(lane)
    })
    this.endings = new Endings(settings.deliveryTimeoutMs, {
      end: batch => this.end(batch),
      adopt: batch => this.deadlines.add(batch),
      unowned: (lane, error, count) =>
        parts.onUnownedFailure(error, { topic: lane.topic, partition: lane.partition }, count),
      failed: error => parts.transaction?.failed(error),
      observer: parts.observer,
    })
    const { retries, retryBackoff: backoff, transactionalId } = settings
    this.settlement = new Settlement(
      { retries, backoff, transactionalId },
      {
        learnLeader: (lane, leader, epoch, endpoint) =>
          parts.directory.learnLeader(lane.topic, lane.partition, leader, epoch, endpoint),
        refreshLeaders: (lane, avoidNode) => this.refreshLeaders(lane.topic, avoidNode),
        random: parts.random,
        observer: parts.observer,
        logger: parts.logger,
      },
      this.endings,
    )
    this.senders = new SenderPool(settings, {
      transport: parts.transport,
      settlement: this.settlement,
      endings: this.endings,
      observer: parts.observer,
      random: parts.random,
      released: batch => this.recycle(batch),
      suspect: (topic, nodeId) => this.refreshLeaders(topic, nodeId),
    })
    this.admission = new Admission(settings, this.budget, this.deadlines, this.generations, this)
    this.roster = new TopicRoster({
      directory: parts.directory,
      senders: this.senders,
      endings: this.endings,
      laneHost: this,
      newPartitioner: () => this.newPartitioner(),
      onReady: topic => this.admission.topicReady(topic),
      onFailed: (topic, error) => this.admission.unplaced.topicFailed(topic, error),
    })
    const { roster, admission, endings, settlement } = this
    this.recall = new Recall({ roster, admission, endings, settlement })
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

  joinsTransaction(lane: Lane): boolean {
    return this.parts.transaction?.joins(lane) ?? true
  }

  /** Takes validated messages of one topic. */
  submit(
    topicName: string,
    messages: readonly Message[],
    call: Call,
    deliveryClass: DeliveryClass,
  ): SendEntry | undefined {
    return this.admission.submit(this.roster.lanesOf(topicName), messages, call, deliveryClass)
  }

  /** The topic, where records were sent to it before: its name is a valid one. */
  topicLanes(name: string): TopicLanes | undefined {
    return this.roster.get(name)
  }

  /** Whether the buffer would take this message at once. */
  hasRoomFor(topicName: string, message: Message): boolean {
    return this.admission.hasRoom(this.roster.get(topicName), this.admission.sizeOf(message))
  }

  /** Whether the buffer, and for a topic that is not there yet its share, is filled less than this (0 to 1). */
  isBelow(mark: number, topicName: string | undefined): boolean {
    const { budget } = this
    if (budget.usedBytes >= budget.limitBytes * mark) return false
    const topic = topicName === undefined ? undefined : this.roster.get(topicName)
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

  need(topic: TopicLanes): void {
    this.roster.need(topic)
  }

  unneeded(topic: TopicLanes): void {
    this.roster.unneeded(topic)
  }

  problemOf({ name }: TopicLanes): Error | undefined {
    return this.parts.directory.problemOf(name)
  }

  private refreshLeaders(name: string, avoidNode: number | undefined): void {
    this.roster.refreshLeaders(name, avoidNode)
  }

  newBatch(lane: Lane, deliveryClass: DeliveryClass, generation: Generation, startedAt: number): Batch {
    const deadline = startedAt + this.settings.deliveryTimeoutMs
    const body = this.pool.take(Math.max(SMALLEST_BODY_BYTES, lane.expectedBytes))
    const batch = new Batch(deliveryClass, body, performance.now(), deadline, generation, expired =>
      this.endings.expire(lane, expired),
    )
    // A record that joins an open batch gets the batch's time: one that cannot leave is closed before that matters.
    batch.deadline = Math.min(deadline, batch.createdAt + this.longestOpenMs)
    if (batch.deadline < deadline) this.openLimits.add(batch)
    else this.deadlines.add(batch)
    const topic = this.roster.get(lane.topic)!
    // Marks the topic as used; one that was forgotten for long idleness is asked for again, beside the delivery.
    if (this.parts.directory.topic(lane.topic) === undefined && topic.view !== undefined) {
      this.refreshLeaders(lane.topic, undefined)
    }
    // The batch is not in its lane yet.
    if (lane.sender === undefined) queueMicrotask(() => this.roster.watchLeaderless(topic))
    return batch
  }

  rejectSequenceLost(lane: Lane, batch: Batch): void {
    this.endings.sequenceLost(lane, batch)
  }

  compress(lane: Lane, batch: Batch): void {
    this.compression.start(lane, batch, error => {
      if (batch.state === 'ended') this.recycle(batch)
      else this.endings.notCompressed(lane, batch, error)
    })
  }

  private wakeAll(): void {
    for (const topic of this.roster.all) {
      for (const lane of topic.lanes) if (lane.batches.length > 0) lane.sender?.wake(lane)
    }
  }

  private end(batch: Batch): void {
    batch.withdraw()
    batch.state = 'ended'
    batch.leaveGenerations()
    this.recycle(batch)
    this.recall.noteEnd()
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
    for (const topic of this.roster.all) for (const lane of topic.lanes) lane.closeOpen()
    return this.generations.seal()
  }

  /** Rejects what is left and lets go of every timer and connection. */
  close(): void {
    this.roster.close()
    // What is in flight comes back with what is known of its fate.
    this.settlement.close()
    this.senders.close(new ProducerClosedError())
    this.admission.unplaced.close(
      this.roster.all,
      topic => new ProducerClosedError({ topic, outcome: 'not-written' }),
    )
    for (const topic of this.roster.all) {
      for (const lane of topic.lanes) this.endings.abandonAll(lane)
    }
  }
}
