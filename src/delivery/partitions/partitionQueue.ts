import type { Wait, Waiters } from '../../waits/wait.js'
import type { Batch } from '../batch/batch.js'
import type { DeliveryClass } from '../batch/deliveryClass.js'
import type { FlushBarrier } from '../batch/flushBarriers.js'
import type { ProducerIdentity } from '../batch/producerIdentity.js'
import { Destination } from '../buffer/shares.js'
import { type NumberedBatches, PartitionProducerState } from '../idempotence/partitionProducerState.js'
import { type BatchLimits, BatchSizing } from './batchSizing.js'
import { type FillMode, type NextBatch, peekBatch, prepareBatch } from './nextBatch.js'
import type { KeylessStay, PartitionQueueHost, PartitionSender } from './partitionQueueHost.js'
import type { ListedQueue, QueueList } from './queueList.js'

/**
 * The records of one partition on their way: its batches in order, and which of them may be in a request. A broker that
 * has no state of a producer takes any sequence for the first, and one that has remembers five batches. Hence: one batch
 * until the first acknowledgement from the current leader, then at most five unresolved; what failed is retried before
 * anything new; an epoch is bumped only when nothing is in flight (KIP-98, KIP-360).
 */
export class PartitionQueue extends Destination implements ListedQueue, NumberedBatches, Waiters {
  readonly topic: string
  readonly topicBytes: Buffer
  readonly partition: number
  readonly host: PartitionQueueHost

  // Who leads the partition. Written by SenderPool alone, in one step: a batch must not go to the one under the other's epoch.
  /** The current leader's sender; undefined while the partition has no leader. */
  sender: PartitionSender | undefined
  /** Of the current leader; -1: not known. */
  leaderEpoch = -1

  // What is known of its topic.
  /** The 16 bytes of the topic's id, the same buffer as long as the topic is the same; undefined: not known. Written by TopicPartitions alone. */
  topicId: Buffer | undefined
  /** Why the partition does not exist any more, where it does not. Written by TopicRegistry alone: a batch in flight then ends with its answer. */
  gone: Error | undefined

  // What it holds.
  /** In the order in which they were opened: in flight or waiting first, the open one last. */
  readonly batches: Batch[] = []
  /** The identity and the sequences of its batches. */
  readonly producerState = new PartitionProducerState(this)
  /** How many of them are in a request. Written here alone. */
  inFlight = 0
  /** What its records wait for, beside their broker. Written by PartitionWaits alone. */
  wait: Wait | undefined
  /** A batch was opened since the last {@link endIdlePeriod}. */
  private wasUsed = true
  /** All that it has is being rejected: what a callback withdraws meanwhile ends with the rest. Written by BatchCompletion alone. */
  isGivenUp = false

  // Its places in linked lists, each written by its list alone: with ten thousand partitions a list of its own nodes would cost more.
  /** @internal BusyQueues' */
  busyBefore: PartitionQueue | undefined
  /** @internal BusyQueues' */
  busyBehind: PartitionQueue | undefined
  /** @internal BusyQueues' */
  isBusy = false
  /** @internal QueueList's */
  waitsIn: QueueList | undefined
  /** @internal QueueList's */
  queueBefore: PartitionQueue | undefined
  /** @internal QueueList's */
  queueBehind: PartitionQueue | undefined

  /** A broker has taken a batch of it. Until then its leader may not have heard of the partition yet. Written by {@link noteAccepted} and {@link topicRecreated}. */
  wasWritten = false
  /** The last attempt was refused, and its batch waits to be sent again. */
  private isRetrying = false
  /** Undefined while batches are as large as the producer lets them be. */
  private sizing: BatchSizing | undefined
  /** The size of the last batch: the next one's buffer grows to it in few steps. Written here alone. bytes */
  expectedBytes = 0
  /** The topic, which may stay on this partition with its keyless records. */
  private readonly keylessStay: KeylessStay

  constructor(
    topic: string,
    topicBytes: Buffer,
    partition: number,
    host: PartitionQueueHost,
    keylessStay: KeylessStay,
  ) {
    super(host.budget.immobile)
    this.topic = topic
    this.topicBytes = topicBytes
    this.partition = partition
    this.host = host
    this.keylessStay = keylessStay
  }

  /**
   * The batch that takes the next record of this class.
   *
   * @param startedAt when the record's call was made, where that is not now
   */
  openBatch(deliveryClass: DeliveryClass, flushBarrier: FlushBarrier, startedAt: number | undefined): Batch {
    const last = this.batches[this.batches.length - 1]
    if (last?.takes(deliveryClass)) return last
    this.closeOpen()
    return this.open(deliveryClass, flushBarrier, startedAt ?? performance.now())
  }

  private open(deliveryClass: DeliveryClass, flushBarrier: FlushBarrier, startedAt: number): Batch {
    const batch = this.host.newBatch(this, deliveryClass, flushBarrier, startedAt)
    this.wasUsed = true
    this.sizing?.opened(batch)
    batch.queue = this
    this.batches.push(batch)
    this.host.busy.add(this)
    this.wake()
    return batch
  }

  /** Something may be sent: its sender, if it has one, asks for it. */
  wake(): void {
    this.sender?.wake(this)
  }

  /** 0 while they wait for their broker, which counts them. */
  get waitingRecords(): number {
    if (this.sender?.isWaiting) return 0
    let sum = this.line?.size ?? 0
    for (const { recordCount } of this.batches) sum += recordCount
    return sum
  }

  /** Its batches wait to be sent again, from now on or no more: what it holds counts as stuck so long. */
  setRetrying(isRetrying: boolean): void {
    if (this.isRetrying === isRetrying) return
    this.isRetrying = isRetrying
    this.joinGroup()
  }

  /** Its leader, or what is known of it, has changed. */
  joinGroup(): void {
    const { budget } = this.host
    budget.move(this, this.isRetrying || this.sender === undefined ? budget.immobile : this.sender.share)
  }

  /** Whether a record of this size would be taken at once. */
  canTake(bytes: number): boolean {
    return !this.hasWaiting && this.host.budget.mayHold(this, bytes)
  }

  limitsOf(batch: Batch): BatchLimits {
    return this.sizing === undefined
      ? this.host.batchLimits
      : this.sizing.limits(batch, batch.deliveryClass.compressor !== undefined)
  }

  /** A batch was compressed: the next one gathers what should fill the target on the wire. */
  noteCompression(uncompressedBytes: number, compressedBytes: number): void {
    this.sizing ??= new BatchSizing(this.host.batchLimits)
    this.sizing.noteCompression(uncompressedBytes, compressedBytes)
  }

  /** The broker refused this batch as too large: from here on they are smaller. */
  shrink(batch: Batch): void {
    this.sizing ??= new BatchSizing(this.host.batchLimits)
    this.sizing.refused(batch)
  }

  /** The topic was deleted and created again: its partition is another, which nobody has written to. */
  topicRecreated(): void {
    this.wasWritten = false
    this.producerState.topicRecreated()
  }

  /** The broker took this batch. */
  noteAccepted(batch: Batch): void {
    this.wasWritten = true
    this.sizing?.accepted(batch)
  }

  /** From here on the batch takes no records. */
  close(batch: Batch): void {
    if (batch.state !== 'open') return
    batch.state = 'closed'
    this.expectedBytes = batch.bodyBytes
    this.leaveKeyless()
    // A full batch may leave while others are in flight.
    this.wake()
  }

  /** A flush waits for this batch. It stays open for what else comes with it in this turn. */
  sendWithoutLinger(batch: Batch): void {
    if (batch.isDue) return
    batch.isDue = true
    this.wake()
  }

  /** Keyless records, if they come here now, go to another partition from here on. */
  leaveKeyless(): void {
    this.keylessStay.leave(this)
  }

  /** Whether a record would leave soon, as far as is known. */
  get isPrompt(): boolean {
    const { sender } = this
    return (
      sender !== undefined &&
      sender.lateness === 0 &&
      this.batches[0]?.lastCause === undefined &&
      this.canTake(1)
    )
  }

  closeOpen(): void {
    const last = this.batches[this.batches.length - 1]
    if (last !== undefined) this.close(last)
  }

  /** Makes the batch to send next ready for a request, if one may be sent now. It stays in the queue until it is taken. */
  prepareNext(now: number, fill: FillMode, openedBefore: number): NextBatch {
    if (this.batches.length === 0 || this.producerState.prepareSequence() === 'waiting') return 'nothing'
    const next = peekBatch(this, now, fill, openedBefore)
    return typeof next === 'string' || prepareBatch(this, next) ? next : 'nothing'
  }

  /** When the batch that waits is due. ms on the clock of `performance.now()` */
  dueAt(lingerMs: number): number {
    const batch = this.batches.find(each => each.state !== 'inFlight' && !each.isSetAside)
    if (batch === undefined) return Infinity
    if (batch.state === 'waiting') return batch.retryAt
    return lingerMs > 0 ? batch.createdAt + lingerMs : Infinity
  }

  /** Puts a prepared batch in flight. */
  take(batch: Batch): void {
    this.close(batch)
    if (batch.deliveryClass.sequenced && batch.identity === undefined) {
      this.producerState.number(batch)
    }
    batch.state = 'inFlight'
    batch.attempts++
    this.inFlight++
    this.host.busy.inFlight++
  }

  /**
   * A batch is no longer in flight; what becomes of it is the caller's.
   *
   * @returns false when it had ended before, because the producer closed
   */
  landed(batch: Batch): boolean {
    this.inFlight--
    this.host.busy.inFlight--
    if (batch.state === 'ended') return false
    batch.state = 'waiting'
    return true
  }

  renewIdentity(spent: ProducerIdentity): void {
    this.host.renewIdentity(spent)
  }

  rejectSequenceLost(batch: Batch): void {
    this.host.rejectSequenceLost(this, batch)
  }

  epochBumped(): void {
    this.host.observer.epochBumped()
  }

  remove(batch: Batch): void {
    const at = this.batches.indexOf(batch)
    if (at === 0) this.batches.shift()
    else if (at > 0) this.batches.splice(at, 1)
    if (batch.state === 'open') this.leaveKeyless()
    batch.state = 'ended'
    if (this.batches.length > 0) return
    this.setRetrying(false)
    this.host.busy.remove(this)
  }

  replace(batch: Batch, parts: readonly Batch[]): void {
    const at = this.batches.indexOf(batch)
    this.batches.splice(at, 1, ...parts)
    batch.state = 'ended'
  }

  /**
   * Ends one period of idleness and begins the next.
   *
   * @returns whether nothing is left of what was sent, and nothing was sent in this period: then the queue can be given back, and the epoch
   * of its sequences tells all that has to be known of it
   */
  endIdlePeriod(): boolean {
    const { wasUsed } = this
    this.wasUsed = false
    return !wasUsed && this.isSettled
  }

  /** Whether nothing is left of what was sent, in memory either, and nothing waits. */
  get isSettled(): boolean {
    return this.batches.length === 0 && this.inFlight === 0 && this.heldBytes === 0 && !this.hasWaiting
  }
}
