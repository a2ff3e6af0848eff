import { type Outcome, withOutcome } from '../../errors/bases.js'
import {
  CompressionUnavailableError,
  DeliveryTimeoutError,
  ProducerClosedError,
  SequenceLostError,
} from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import { ERROR, type ErrorCode, errorCode } from '../../protocol/errorCodes.js'
import type { Batch } from '../batch/batch.js'
import { divideCharge } from '../batch/extractRecords.js'
import type { BufferPool } from '../buffer/bufferPool.js'
import type { Destination } from '../buffer/shares.js'
import { AcknowledgedBatch } from '../owners/acknowledgedBatch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionWaits } from '../partitions/partitionWaits.js'
import type { TurnWork } from '../turns.js'
import type { PlacedRecords } from '../waiting/callLinks.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'

/** What the end of a batch needs of the engine. */
export interface BatchCompletionHost {
  /** The batch has ended: its memory, its deadline and its place in a flush are given back. */
  end(batch: Batch): void
  /** The batch ends at its deadline, unless it has ended before. */
  adopt(batch: Batch): void
  unowned(queue: PartitionQueue, error: Error, count: number): void
  /** Records of a batch have failed. */
  failed(error: Error): void
  /** What the buffer counts no more: withdrawn records that were taken out of a batch. */
  dropped(queue: Destination, bytes: number, records: number): void
  readonly pool: BufferPool
  readonly turns: TurnWork
  readonly observer: ProducerObserver
  readonly waits: PartitionWaits
  /** Why the queue's next batch has no sequence, or may not go yet; undefined: for no such reason. */
  identityProblem(): Error | undefined
}

type Verdict = Pick<ErrorCode, 'type' | 'code'>

const OUT_OF_ORDER: Verdict = errorCode(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER)

/** The ways in which a batch ends: each of its records ends here exactly once, and its sequences are accounted for. */
export class BatchCompletion {
  private readonly deliveryTimeoutMs: number
  private readonly host: BatchCompletionHost

  constructor(deliveryTimeoutMs: number, host: BatchCompletionHost) {
    this.deliveryTimeoutMs = deliveryTimeoutMs
    this.host = host
  }

  /** The leader has the batch, and says so. */
  succeed(queue: PartitionQueue, batch: Batch, answer: PartitionAnswer, nodeId: number): void {
    queue.producerState.acknowledged(batch, queue.sender?.nodeId === nodeId)
    queue.remove(batch)
    if (queue.wait !== undefined) this.host.waits.delivered(queue)
    queue.setRetrying(false)
    if (!batch.expiredInFlight) {
      const { observer } = this.host
      observer.recordsSent(queue.topic, batch.recordCount)
      observer.batchDelivered(queue.topic, batch.recordCount, performance.now() - batch.createdAt)
      const baseOffset = answer.errorCode === ERROR.NONE ? answer.baseOffset : -1n
      batch.owners.acknowledge(
        new AcknowledgedBatch(
          queue.topic,
          queue.partition,
          baseOffset,
          answer.logAppendTimeMs,
          answer.logStartOffset,
          batch.attemptLog,
        ),
      )
    }
    this.host.end(batch)
    if (queue.batches.length > 0) queue.wake()
  }

  /** acks 0: the bytes were written to the socket. */
  written(queue: PartitionQueue, batch: Batch): void {
    queue.remove(batch)
    if (queue.wait !== undefined) this.host.waits.delivered(queue)
    if (!batch.expiredInFlight) {
      this.host.observer.recordsSent(queue.topic, batch.recordCount)
      batch.owners.acknowledgeWritten()
    }
    this.host.end(batch)
    queue.wake()
  }

  /** Rejects a batch that is not in flight, and says what its sequences, if it had any, mean for those after it. */
  rejectSent(queue: PartitionQueue, batch: Batch, error: Error): void {
    queue.producerState.dropped(batch)
    this.reject(queue, batch, error)
  }

  /** Rejects a batch whose sequences are accounted for. */
  reject(queue: PartitionQueue, batch: Batch, error: Error): void {
    queue.remove(batch)
    if (queue.wait !== undefined) this.host.waits.left(queue)
    batch.forgetWithdrawn()
    this.host.failed(error)
    // It is not sent any more; who waits for its records is told in turn, where many are.
    this.host.turns.once(batch.recordCount, () => {
      this.tell(queue, batch, error)
      this.host.end(batch)
    })
    if (queue.batches.length > 0) queue.wake()
  }

  /** Its codec failed, as it would again. */
  notCompressed(queue: PartitionQueue, batch: Batch, error: Error): void {
    const { topic, partition } = queue
    const place = { topic, partition, attempts: batch.attempts }
    this.rejectSent(queue, batch, withOutcome(error, this.outcomeOf(batch), place))
  }

  /** The broker is too old for its codec: it would not even answer with a reason. */
  codecUnknown(queue: PartitionQueue, batch: Batch, nodeId: number): void {
    const remedy = `Broker ${nodeId} is older than Kafka 2.1, the first release that takes it: use another codec, or newer brokers.`
    this.notCompressed(queue, batch, new CompressionUnavailableError('zstd', remedy))
  }

  /**
   * Its earlier attempt may have been written, and the leader cannot tell any more.
   *
   * @param verdict what the leader answered
   */
  sequenceLost(queue: PartitionQueue, batch: Batch, verdict: Verdict = OUT_OF_ORDER): void {
    const error = new SequenceLostError(queue.topic, verdict, {
      partition: queue.partition,
      attempts: batch.attempts,
      cause: batch.lastCause,
    })
    this.reject(queue, batch, error)
  }

  /** The batch's time is up: that of taking records, or all of it. */
  expire(queue: PartitionQueue, batch: Batch): void {
    if (batch.deadline < batch.endsAt) {
      queue.close(batch)
      batch.deadline = batch.endsAt
      return this.host.adopt(batch)
    }
    const wasInFlight = batch.state === 'inFlight'
    const outcome: Outcome = wasInFlight ? 'unknown' : this.outcomeOf(batch)
    const error = withoutStack(
      () =>
        new DeliveryTimeoutError(queue.topic, {
          partition: queue.partition,
          deliveryTimeoutMs: this.deliveryTimeoutMs,
          attempts: batch.attempts,
          outcome,
          waitingFor: wasInFlight
            ? "the broker's answer"
            : queue.sender === undefined
              ? 'a leader of the partition'
              : batch.attempts > 0
                ? 'another attempt'
                : queue.sender.isConnected
                  ? 'its turn to be sent'
                  : `a connection to broker ${queue.sender.nodeId}`,
          firstCause: batch.firstCause,
          cause: this.waitedFor(queue, batch),
        }),
    )
    if (!wasInFlight) return this.rejectSent(queue, batch, error)
    // Its sequence is still under way: the answer, or the loss of it, settles the queue.
    batch.expiredInFlight = true
    this.host.failed(error)
    this.tell(queue, batch, error)
    // Its records have ended: a flush does not wait for the answer.
    batch.leaveFlushBarriers()
  }

  /** What a batch whose time is up has waited for last, as far as it is known. */
  private waitedFor(queue: PartitionQueue, batch: Batch): Error | undefined {
    const { sender } = queue
    // What an earlier attempt met is over for one that the broker has now.
    if (batch.state === 'inFlight') return sender?.cause ?? batch.lastCause
    return (
      batch.lastCause ??
      this.host.waits.causeOf(queue) ??
      (batch.identity === undefined ? this.host.identityProblem() : undefined) ??
      sender?.cause
    )
  }

  /** A batch whose records were rejected by their deadline while it was in flight. */
  drop(queue: PartitionQueue, batch: Batch): void {
    queue.remove(batch)
    if (queue.wait !== undefined) this.host.waits.left(queue)
    queue.producerState.dropped(batch)
    this.host.end(batch)
    queue.wake()
  }

  /**
   * Rejects what a call has in a batch that was in no request yet. The records are only marked: they are taken out when the
   * batch is sent, or when they are most of it.
   */
  withdraw(batch: Batch, { owner, positions }: PlacedRecords, error: Error): void {
    const { queue } = batch
    if (queue === undefined || queue.isGivenUp || batch.attempts > 0) return
    if (batch.state !== 'open' && batch.state !== 'closed') return
    batch.withdrawRecords(positions)
    const { recordCount, withdrawnCount } = batch
    if (withdrawnCount === recordCount) queue.remove(batch)
    else if (withdrawnCount * 2 > recordCount) this.dropWithdrawn(queue, batch)
    // It is compressed anew without them.
    if (batch.pendingWrites > 0) queue.wake()
    this.host.observer.recordsFailed(queue.topic, positions.length, error.name)
    owner.failed(error, queue.topic, queue.partition, 0, positions.length)
    this.host.failed(error)
    if (withdrawnCount < recordCount) return
    this.host.end(batch)
    if (queue.batches.length > 0) queue.wake()
  }

  /** Takes its withdrawn records out of a batch that is in no request. */
  dropWithdrawn(queue: Destination, batch: Batch): void {
    const { bytes, records } = batch.dropWithdrawn(this.host.pool)
    this.host.dropped(queue, bytes, records)
  }

  /** The parts take over the batch's records, and with them what the buffer counts for them. */
  substitute(queue: PartitionQueue, batch: Batch, parts: readonly Batch[]): void {
    queue.replace(batch, parts)
    divideCharge(batch, parts)
    for (const part of parts) this.host.adopt(part)
    this.host.end(batch)
    queue.wake()
  }

  /** Rejects everything of a queue that is not in flight. */
  rejectAll(queue: PartitionQueue, error: Error): void {
    forEachGivenUp(queue, batch => {
      if (batch.state === 'inFlight') return
      const { attempts } = batch
      // Records without an attempt share one error, so that a call which failed as a whole is rejected with that.
      const tried = attempts > 0 ? { partition: queue.partition, attempts } : {}
      this.rejectSent(queue, batch, withOutcome(error, this.outcomeOf(batch), tried))
    })
  }

  /** The producer closes: ends what a queue still has. */
  abandonAll(queue: PartitionQueue): void {
    const { topic, partition } = queue
    forEachGivenUp(queue, batch => {
      // Its answer will not be heard.
      if (batch.state === 'inFlight') batch.noteUnknownOutcome()
      const { attempts, lastCause: cause } = batch
      const outcome = this.outcomeOf(batch)
      if (batch.expiredInFlight) this.drop(queue, batch)
      else {
        const context = { topic, partition, attempts, outcome, cause }
        this.reject(
          queue,
          batch,
          withoutStack(() => new ProducerClosedError(context)),
        )
      }
    })
  }

  /** What is to be said of a batch that ends now. */
  outcomeOf(batch: Batch): Outcome {
    return batch.outcomeUnknown ? 'unknown' : 'not-written'
  }

  private tell(queue: PartitionQueue, batch: Batch, error: Error): void {
    this.host.observer.recordsFailed(queue.topic, batch.recordCount, error.name)
    const { topic, partition } = queue
    const unowned = (cause: Error, count: number) => this.host.unowned(queue, cause, count)
    batch.owners.reject(error, topic, partition, unowned, batch.attemptLog)
  }
}

/** Callbacks run meanwhile: what they end is passed over, and what they send is met only where it joined one of these. */
const forEachGivenUp = (queue: PartitionQueue, end: (batch: Batch) => void): void => {
  const wasGivenUp = queue.isGivenUp
  queue.isGivenUp = true
  try {
    for (const batch of [...queue.batches]) if (batch.state !== 'ended') end(batch)
  } finally {
    queue.isGivenUp = wasGivenUp
  }
}
