import { type Outcome, withOutcome } from '../errors/bases.js'
import { DeliveryTimeoutError, ProducerClosedError, SequenceLostError } from '../errors/index.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { ERROR, errorCode } from '../protocol/errorCodes.js'
import type { Batch } from './batch.js'
import type { Lane } from './lane.js'
import { AcknowledgedBatch, type RecordOwner } from './owner.js'
import type { PartitionAnswer } from './produceResponse.js'

/** What the end of a batch needs of the engine. */
export interface EndingsHost {
  /** The batch has ended: its memory, its deadline and its place in a flush are given back. */
  end(batch: Batch): void
  /** The batch ends at its deadline, unless it has ended before. */
  adopt(batch: Batch): void
  unowned(lane: Lane, error: Error, count: number): void
  /** Records of a batch have failed. */
  failed(error: Error): void
  readonly observer: ProducerObserver
}

/** The ways in which a batch ends: each of its records ends here exactly once, and its sequences are accounted for. */
export class Endings {
  private readonly deliveryTimeoutMs: number
  private readonly host: EndingsHost

  constructor(deliveryTimeoutMs: number, host: EndingsHost) {
    this.deliveryTimeoutMs = deliveryTimeoutMs
    this.host = host
  }

  /** The leader has the batch, and says so. */
  succeed(lane: Lane, batch: Batch, answer: PartitionAnswer, nodeId: number): void {
    if (batch.identity !== undefined) {
      lane.sequences.acknowledge(batch.baseSequence, batch.recordCount)
      // An answer of a former leader says nothing of what the present one knows, nor does one to a batch without sequence.
      if (lane.sender?.nodeId === nodeId) lane.confirmed = true
    }
    lane.remove(batch)
    if (!batch.expiredInFlight) {
      const { observer } = this.host
      observer.recordsSent(lane.topic, batch.recordCount)
      observer.batchDelivered(lane.topic, batch.recordCount, performance.now() - batch.createdAt)
      const baseOffset = answer.errorCode === ERROR.none ? answer.baseOffset : -1n
      batch.acknowledge(
        new AcknowledgedBatch(
          lane.topic,
          lane.partition,
          baseOffset,
          answer.logAppendTimeMs,
          answer.logStartOffset,
        ),
      )
    }
    this.host.end(batch)
    if (lane.batches.length > 0) lane.sender?.wake(lane)
  }

  /** acks 0: the bytes were written to the socket. */
  written(lane: Lane, batch: Batch): void {
    lane.remove(batch)
    if (!batch.expiredInFlight) {
      this.host.observer.recordsSent(lane.topic, batch.recordCount)
      batch.acknowledgeWritten()
    }
    this.host.end(batch)
    lane.sender?.wake(lane)
  }

  /** Rejects a batch that is not in flight, and says what its sequences, if it had any, mean for those after it. */
  rejectSent(lane: Lane, batch: Batch, error: Error): void {
    lane.leaveSequences(batch)
    this.reject(lane, batch, error)
  }

  /** Rejects a batch whose sequences are accounted for. */
  reject(lane: Lane, batch: Batch, error: Error): void {
    lane.remove(batch)
    this.tell(lane, batch, error)
    this.host.end(batch)
    if (lane.batches.length > 0) lane.sender?.wake(lane)
  }

  /** Its codec failed, as it would again. */
  notCompressed(lane: Lane, batch: Batch, error: Error): void {
    const { topic, partition } = lane
    const place = { topic, partition, attempts: batch.attempts }
    this.rejectSent(lane, batch, withOutcome(error, this.outcomeOf(batch), place))
  }

  /** Its earlier attempt may have been written, and the leader cannot tell any more. */
  sequenceLost(lane: Lane, batch: Batch): void {
    const error = new SequenceLostError(lane.topic, errorCode(ERROR.outOfOrderSequence), {
      partition: lane.partition,
      attempts: batch.attempts,
      cause: batch.lastCause,
    })
    this.reject(lane, batch, error)
  }

  /** The batch's time is up: that of taking records, or all of it. */
  expire(lane: Lane, batch: Batch): void {
    if (batch.deadline < batch.endsAt) {
      lane.close(batch)
      batch.deadline = batch.endsAt
      return this.host.adopt(batch)
    }
    const wasInFlight = batch.state === 'inFlight'
    const outcome: Outcome = wasInFlight ? 'unknown' : this.outcomeOf(batch)
    const error = new DeliveryTimeoutError(lane.topic, {
      partition: lane.partition,
      deliveryTimeoutMs: this.deliveryTimeoutMs,
      attempts: batch.attempts,
      outcome,
      waitingFor: wasInFlight
        ? "the broker's answer"
        : lane.sender === undefined
          ? 'a leader of the partition'
          : batch.attempts > 0
            ? 'another attempt'
            : lane.sender.isConnected
              ? 'its turn to be sent'
              : `a connection to broker ${lane.sender.nodeId}`,
      firstCause: batch.firstCause,
      cause: batch.lastCause,
    })
    if (!wasInFlight) return this.rejectSent(lane, batch, error)
    // Its sequence is still under way: the answer, or the loss of it, settles the lane.
    batch.expiredInFlight = true
    this.tell(lane, batch, error)
    // Its records have ended: a flush does not wait for the answer.
    batch.leaveGenerations()
  }

  /** A batch whose records were rejected by their deadline while it was in flight. */
  drop(lane: Lane, batch: Batch): void {
    lane.remove(batch)
    lane.leaveSequences(batch)
    this.host.end(batch)
    lane.sender?.wake(lane)
  }

  /** Rejects what a call has in a batch that was in no request yet; the others stay. */
  withdraw(lane: Lane, batch: Batch, owns: (owner: RecordOwner | null) => boolean, error: Error): void {
    if (lane.isGivenUp || (batch.state !== 'open' && batch.state !== 'closed')) return
    const isOwned: boolean[] = []
    batch.owners.forEach((owner, _first, count) => {
      for (let k = 0; k < count; k++) isOwned.push(owns(owner))
    })
    if (!isOwned.includes(true)) return
    if (!isOwned.includes(false)) return this.rejectSent(lane, batch, error)
    lane.close(batch)
    const withdrawn = batch.extract(index => isOwned[index]!)
    const kept = batch.extract(index => !isOwned[index]!)
    for (const part of [withdrawn, kept]) part.state = 'closed'
    this.substitute(lane, batch, [withdrawn, kept])
    this.rejectSent(lane, withdrawn, error)
  }

  /** The parts take over the batch's records, and with them what the buffer counts for them. */
  substitute(lane: Lane, batch: Batch, parts: readonly Batch[]): void {
    lane.replace(batch, parts)
    const { chargedBytes } = batch
    for (const part of parts) {
      part.chargedBytes = Math.floor((chargedBytes * part.recordCount) / batch.recordCount)
      part.chargedRecords = part.recordCount
      batch.chargedBytes -= part.chargedBytes
      batch.chargedRecords -= part.recordCount
      this.host.adopt(part)
    }
    this.host.end(batch)
    lane.sender?.wake(lane)
  }

  /** Rejects everything of a lane that is not in flight. */
  rejectAll(lane: Lane, error: Error): void {
    forEachGivenUp(lane, batch => {
      if (batch.state === 'inFlight') return
      const { attempts } = batch
      // Records without an attempt share one error, so that a call which failed as a whole is rejected with that.
      const tried = attempts > 0 ? { partition: lane.partition, attempts } : {}
      this.rejectSent(lane, batch, withOutcome(error, this.outcomeOf(batch), tried))
    })
  }

  /** The producer closes: ends what a lane still has. */
  abandonAll(lane: Lane): void {
    const { topic, partition } = lane
    forEachGivenUp(lane, batch => {
      // Its answer will not be heard.
      if (batch.state === 'inFlight') batch.fateUnknown = true
      const { attempts, lastCause: cause } = batch
      const outcome = this.outcomeOf(batch)
      if (batch.expiredInFlight) this.drop(lane, batch)
      else this.reject(lane, batch, new ProducerClosedError({ topic, partition, attempts, outcome, cause }))
    })
  }

  /** What is to be said of a batch that ends now. */
  outcomeOf(batch: Batch): Outcome {
    return batch.fateUnknown ? 'unknown' : 'not-written'
  }

  private tell(lane: Lane, batch: Batch, error: Error): void {
    this.host.observer.recordsFailed(lane.topic, batch.recordCount, error.name)
    batch.reject(error, lane.topic, lane.partition, (cause, count) => this.host.unowned(lane, cause, count))
    this.host.failed(error)
  }
}

/** Callbacks run meanwhile: what they end is passed over, and what they send is met only where it joined one of these. */
const forEachGivenUp = (lane: Lane, end: (batch: Batch) => void): void => {
  const wasGivenUp = lane.isGivenUp
  lane.isGivenUp = true
  try {
    for (const batch of [...lane.batches]) if (batch.state !== 'ended') end(batch)
  } finally {
    lane.isGivenUp = wasGivenUp
  }
}
