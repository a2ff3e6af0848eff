import type { Logger } from 'kafkajs'
import { BrokerVerdictError, type Outcome, withOutcome } from '../errors/bases.js'
import {
  DeliveryRetriesExceededError,
  DeliveryTimeoutError,
  InvalidTopicError,
  ProducerClosedError,
  RecordRejectedError,
  RecordTooLargeError,
  SequenceLostError,
  TopicAuthorizationError,
} from '../errors/index.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { ERROR, errorCode } from '../protocol/errorCodes.js'
import type { BrokerAddress } from '../transport/port.js'
import { type Backoff, backoffMs } from './backoff.js'
import type { Batch } from './batch.js'
import type { Passenger } from './flight.js'
import type { Lane } from './lane.js'
import { AcknowledgedBatch, type RecordOwner } from './owner.js'
import type { PartitionAnswer } from './produceResponse.js'
import { advanceSequence } from './sequences.js'
import { mayBeWritten, verdictOf } from './verdict.js'

export interface SettlementSettings {
  readonly deliveryTimeoutMs: number
  readonly retries: number
  readonly backoff: Backoff
  readonly requestBytes: number
}

/** What settling a batch needs of the engine. */
export interface SettlementHost {
  /** The batch has ended: its memory, its deadline and its place in a flush are given back. */
  end(batch: Batch): void
  /** The batch ends at its deadline, unless it has ended before. */
  adopt(batch: Batch): void
  unowned(lane: Lane, error: Error, count: number): void
  learnLeader(lane: Lane, leader: number, leaderEpoch: number, endpoint: BrokerAddress | undefined): void
  refreshLeaders(lane: Lane, avoidNode: number | undefined): void
  readonly random: () => number
  readonly observer: ProducerObserver
  readonly logger: Logger
}

const AT_ONCE: Backoff = { minMs: 0, maxMs: 0, factor: 1 }
/** After this many attempts even a leader that is said to be one is looked up again. */
const APPOINTED_ATTEMPTS = 50
/** A leader that is starting up takes its partitions on one by one, hundreds of new ones within a second or two. */
const APPOINTED_BACKOFF: Backoff = { minMs: 20, maxMs: 100, factor: 1.5 }
/** ms */
const RETRY_BEAT_MS = 20

/** What becomes of a batch once it is answered, lost, or out of time: each of its records ends here exactly once. */
export class Settlement {
  private readonly settings: SettlementSettings
  private readonly host: SettlementHost
  private closed = false

  constructor(settings: SettlementSettings, host: SettlementHost) {
    this.settings = settings
    this.host = host
  }

  answered(
    { lane, batch }: Passenger,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
  ): void {
    if (!lane.landed(batch)) return
    const verdict = verdictOf(answer.errorCode)
    if (verdict === 'written') return this.succeed(lane, batch, answer, nodeId)
    const code = errorCode(answer.errorCode)
    const cause = new BrokerVerdictError(
      `broker ${nodeId} answered ${code.type}: ${answer.errorMessage ?? code.message}`,
      code,
      { topic: lane.topic, partition: lane.partition },
    )
    // Any error closes the gate: a leader that has lost its state would take any sequence for the first.
    lane.confirmed = false
    if (mayBeWritten(answer.errorCode, answer.baseOffset)) batch.fateUnknown = true
    if (batch.expiredInFlight) return this.drop(lane, batch)
    switch (verdict) {
      case 'moved':
        return this.moved(lane, batch, answer, nodeId, endpoint, cause)
      case 'retry':
        return this.retry(lane, batch, cause, code.type)
      case 'split':
        return this.tooLarge(lane, batch, cause)
      case 'sequence':
        return this.sequenceRefused(lane, batch, answer, cause)
      case 'refused':
        return this.refused(lane, batch, answer, cause)
    }
  }

  /** acks 0: the bytes were written to the socket. */
  written({ lane, batch }: Passenger): void {
    if (!lane.landed(batch)) return
    lane.remove(batch)
    if (!batch.expiredInFlight) {
      this.host.observer.recordsSent(lane.topic, batch.recordCount)
      batch.acknowledgeWritten()
    }
    this.host.end(batch)
    lane.sender?.wake(lane)
  }

  /** The request ended without an answer. */
  lost({ lane, batch }: Passenger, error: Error, sent: boolean, nodeId: number): void {
    if (!lane.landed(batch)) return
    lane.confirmed = false
    if (sent) batch.fateUnknown = true
    if (batch.expiredInFlight) return this.drop(lane, batch)
    if (this.closed) return
    if (this.isElsewhere(lane, nodeId)) return this.retry(lane, batch, error, error.name, AT_ONCE)
    this.host.refreshLeaders(lane, nodeId)
    this.retry(lane, batch, error, error.name)
  }

  private isElsewhere(lane: Lane, nodeId: number): boolean {
    return lane.sender !== undefined && lane.sender.nodeId !== nodeId
  }

  private succeed(lane: Lane, batch: Batch, answer: PartitionAnswer, nodeId: number): void {
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

  private moved(
    lane: Lane,
    batch: Batch,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
    cause: BrokerVerdictError,
  ): void {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId >= 0) this.host.learnLeader(lane, leaderId, leaderEpoch, endpoint)
    if (this.isElsewhere(lane, nodeId)) return this.retry(lane, batch, cause, cause.type, AT_ONCE)
    // The cluster calls this broker the leader, and the broker has not heard of it yet, as right after a topic's
    // creation: there is nothing to ask, and little to wait for.
    const isAppointed = leaderId === nodeId && batch.attempts <= APPOINTED_ATTEMPTS
    if (!isAppointed) this.host.refreshLeaders(lane, undefined)
    const { backoff } = this.settings
    this.retry(lane, batch, cause, cause.type, isAppointed ? APPOINTED_BACKOFF : backoff)
  }

  private retry(
    lane: Lane,
    batch: Batch,
    cause: Error,
    reason: string,
    backoff: Backoff = this.settings.backoff,
  ): void {
    batch.noteCause(cause)
    if (lane.gone !== undefined) {
      const { attempts } = batch
      return this.rejectSent(lane, batch, withOutcome(lane.gone, this.outcomeOf(batch), { attempts }))
    }
    if (batch.attempts - batch.excusedAttempts > this.settings.retries) {
      return this.rejectSent(
        lane,
        batch,
        new DeliveryRetriesExceededError(lane.topic, {
          partition: lane.partition,
          attempts: batch.attempts,
          outcome: this.outcomeOf(batch),
          elapsedMs: performance.now() - batch.createdAt,
          firstCause: batch.firstCause,
          cause,
        }),
      )
    }
    const now = performance.now()
    const delayMs = backoffMs(backoff, batch.attempts, this.host.random())
    // On a common beat: hundreds of new topics then go again in one request instead of one each.
    batch.retryAt = delayMs === 0 ? now : Math.ceil((now + delayMs) / RETRY_BEAT_MS) * RETRY_BEAT_MS
    this.host.observer.recordsRetried(lane.topic, batch.recordCount, reason)
    this.host.logger.debug('A record batch will be sent again', {
      topic: lane.topic,
      partition: lane.partition,
      records: batch.recordCount,
      attempt: batch.attempts,
      delayMs: Math.round(delayMs),
      reason: cause.message,
    })
    if (lane.sender === undefined) this.host.refreshLeaders(lane, undefined)
    else lane.sender.wake(lane)
  }

  private tooLarge(lane: Lane, batch: Batch, cause: BrokerVerdictError): void {
    if (batch.recordCount === 1) {
      const error = new RecordTooLargeError(
        lane.topic,
        "Make it smaller, or raise the topic's max.message.bytes.",
        { recordBytes: batch.wireBytes, partition: lane.partition, attempts: batch.attempts, cause },
      )
      return this.rejectSent(lane, batch, withOutcome(error, this.outcomeOf(batch)))
    }
    const half = batch.recordCount >>> 1
    const parts = [batch.extract(index => index < half), batch.extract(index => index >= half)]
    if (batch.identity !== undefined) {
      parts[0]!.identify(batch.identity, batch.baseSequence)
      parts[1]!.identify(batch.identity, advanceSequence(batch.baseSequence, half))
    }
    lane.shrink(batch.bodyBytes)
    this.host.observer.recordsRetried(lane.topic, batch.recordCount, cause.type)
    this.substitute(lane, batch, parts)
  }

  /** The parts take over the batch's records, and with them what the buffer counts for them. */
  private substitute(lane: Lane, batch: Batch, parts: readonly Batch[]): void {
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

  private sequenceRefused(
    lane: Lane,
    batch: Batch,
    answer: PartitionAnswer,
    cause: BrokerVerdictError,
  ): void {
    // Refused only because what stands before it is not in the log: that costs it no attempt.
    const isInnocent =
      answer.errorCode === ERROR.outOfOrderSequence && batch.baseSequence !== lane.sequences.expected
    if (isInnocent) batch.excusedAttempts++
    if (isInnocent && !lane.unresolved && lane.batches[0] !== batch) {
      // The batch before it comes again, and it goes behind that one.
      return this.retry(lane, batch, cause, cause.type, AT_ONCE)
    }
    if (batch.identity !== undefined) lane.needsBump = true
    lane.unresolved = false
    batch.noteCause(cause)
    // Numbered anew, a record that an earlier attempt did write would stand there twice.
    if (batch.fateUnknown) return this.sequenceLost(lane, batch)
    this.retry(lane, batch, cause, cause.type, isInnocent ? AT_ONCE : this.settings.backoff)
  }

  sequenceLost(lane: Lane, batch: Batch): void {
    const error = new SequenceLostError(lane.topic, errorCode(ERROR.outOfOrderSequence), {
      partition: lane.partition,
      attempts: batch.attempts,
      cause: batch.lastCause,
    })
    this.reject(lane, batch, error)
  }

  private refused(lane: Lane, batch: Batch, answer: PartitionAnswer, cause: BrokerVerdictError): void {
    const verdict = errorCode(answer.errorCode)
    const context = {
      partition: lane.partition,
      attempts: batch.attempts,
      outcome: this.outcomeOf(batch),
      cause,
    }
    const named = new Map(answer.recordErrors.map(each => [each.batchIndex, each.batchIndexErrorMessage]))
    const isNamed = (index: number): boolean => named.has(index)
    if (named.size > 0 && named.size < batch.recordCount && !batch.fateUnknown) {
      const bad = batch.extract(isNamed)
      const good = batch.extract(index => !isNamed(index))
      if (bad.recordCount > 0 && good.recordCount > 0) {
        if (batch.identity !== undefined) lane.needsBump = true
        this.substitute(lane, batch, [bad, good])
        const reason = [...named.values()].find(each => each !== null) ?? answer.errorMessage
        this.reject(lane, bad, new RecordRejectedError(lane.topic, verdict, reason, context))
        return
      }
      for (const part of [bad, good]) for (const generation of part.generations) generation.done()
    }
    const error =
      verdict.code === ERROR.topicAuthorizationFailed
        ? new TopicAuthorizationError(lane.topic, context)
        : verdict.code === ERROR.invalidTopic
          ? new InvalidTopicError(lane.topic, answer.errorMessage ?? verdict.message, context)
          : new RecordRejectedError(lane.topic, verdict, answer.errorMessage, context)
    this.rejectSent(lane, batch, error)
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
      deliveryTimeoutMs: this.settings.deliveryTimeoutMs,
      attempts: batch.attempts,
      outcome,
      waitingFor: wasInFlight
        ? "the broker's answer"
        : lane.sender === undefined
          ? 'a leader of the partition'
          : batch.attempts > 0
            ? 'another attempt'
            : 'its turn to be sent',
      firstCause: batch.firstCause,
      cause: batch.lastCause,
    })
    if (!wasInFlight) return this.rejectSent(lane, batch, error)
    // Its sequence is still under way: the answer, or the loss of it, settles the lane.
    batch.expiredInFlight = true
    this.tell(lane, batch, error)
    // Its records have ended: a flush does not wait for the answer.
    for (const generation of batch.generations.splice(0)) generation.done()
  }

  /** Rejects a batch that is not in flight, and says what its sequences, if it had any, mean for those after it. */
  rejectSent(lane: Lane, batch: Batch, error: Error): void {
    if (batch.identity !== undefined) {
      if (batch.fateUnknown) lane.unresolved = true
      else lane.needsBump = true
    }
    this.reject(lane, batch, error)
  }

  /** Its codec failed, as it would again. */
  notCompressed(lane: Lane, batch: Batch, error: Error): void {
    const { topic, partition } = lane
    const place = { topic, partition, attempts: batch.attempts }
    this.rejectSent(lane, batch, withOutcome(error, this.outcomeOf(batch), place))
  }

  /** Rejects what a call has in a batch that was in no request yet; the others stay. */
  withdraw(lane: Lane, batch: Batch, owns: (owner: RecordOwner | null) => boolean, error: Error): void {
    if (batch.state !== 'open' && batch.state !== 'closed') return
    const isOwned: boolean[] = []
    batch.owners.forEach((owner, i) => {
      for (let k = 0; k < batch.ownerCounts[i]!; k++) isOwned.push(owns(owner))
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

  /** From here on what comes back from flight is left to {@link Settlement.abandonAll}. */
  close(): void {
    this.closed = true
  }

  /** The producer closes: ends what a lane still has. */
  abandonAll(lane: Lane): void {
    const { topic, partition } = lane
    for (const batch of [...lane.batches]) {
      // Its answer will not be heard.
      if (batch.state === 'inFlight') batch.fateUnknown = true
      const { attempts, lastCause: cause } = batch
      const outcome = this.outcomeOf(batch)
      if (batch.expiredInFlight) this.drop(lane, batch)
      else this.reject(lane, batch, new ProducerClosedError({ topic, partition, attempts, outcome, cause }))
    }
  }

  /** Rejects everything of a lane that is not in flight. */
  rejectAll(lane: Lane, error: Error): void {
    for (const batch of [...lane.batches]) {
      if (batch.state === 'inFlight') continue
      const { attempts } = batch
      // Records without an attempt share one error, so that a call which failed as a whole is rejected with that.
      const tried = attempts > 0 ? { partition: lane.partition, attempts } : {}
      this.rejectSent(lane, batch, withOutcome(error, this.outcomeOf(batch), tried))
    }
  }

  private reject(lane: Lane, batch: Batch, error: Error): void {
    lane.remove(batch)
    this.tell(lane, batch, error)
    this.host.end(batch)
    if (lane.batches.length > 0) lane.sender?.wake(lane)
  }

  private tell(lane: Lane, batch: Batch, error: Error): void {
    this.host.observer.recordsFailed(lane.topic, batch.recordCount, error.name)
    batch.reject(error, lane.topic, lane.partition, (cause, count) => this.host.unowned(lane, cause, count))
  }

  /** A batch whose records were rejected by their deadline while it was in flight. */
  private drop(lane: Lane, batch: Batch): void {
    lane.remove(batch)
    if (batch.identity !== undefined) {
      if (batch.fateUnknown) lane.unresolved = true
      else lane.needsBump = true
    }
    this.host.end(batch)
    lane.sender?.wake(lane)
  }

  private outcomeOf(batch: Batch): Outcome {
    return batch.fateUnknown ? 'unknown' : 'not-written'
  }
}
