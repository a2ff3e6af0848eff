import type { Logger } from 'kafkajs'
import { BrokerVerdictError, withOutcome } from '../errors/bases.js'
import {
  DeliveryRetriesExceededError,
  InvalidTopicError,
  ProducerFencedError,
  RecordRejectedError,
  RecordTooLargeError,
  TopicAuthorizationError,
} from '../errors/index.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { ERROR, errorCode } from '../protocol/errorCodes.js'
import type { BrokerAddress } from '../transport/port.js'
import { type Backoff, backoffMs } from './backoff.js'
import type { Batch } from './batch.js'
import type { Endings } from './endings.js'
import type { Passenger } from './flight.js'
import type { Lane } from './lane.js'
import { allSetAside, setAside } from './numbering.js'
import type { PartitionAnswer } from './produceResponse.js'
import { advanceSequence } from './sequences.js'
import { mayBeWritten, verdictOf } from './verdict.js'

export interface SettlementSettings {
  readonly retries: number
  readonly backoff: Backoff
  /** Of a transactional producer. */
  readonly transactionalId: string | undefined
}

/** What settling a batch needs of the engine. */
export interface SettlementHost {
  learnLeader(lane: Lane, leader: number, leaderEpoch: number, endpoint: BrokerAddress | undefined): void
  refreshLeaders(lane: Lane, avoidNode: number | undefined): void
  readonly random: () => number
  readonly observer: ProducerObserver
  readonly logger: Logger
}

const FENCED: ReadonlySet<number> = new Set([ERROR.invalidProducerEpoch, ERROR.producerFenced])
/** In the log, and the leader does not know where any more. */
const FORGOTTEN: PartitionAnswer = {
  index: -1,
  errorCode: ERROR.duplicateSequence,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  logStartOffset: -1n,
  recordErrors: [],
  errorMessage: null,
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
}

const AT_ONCE: Backoff = { minMs: 0, maxMs: 0, factor: 1 }
/** After this many attempts even a leader that is said to be one is looked up again. */
const APPOINTED_ATTEMPTS = 50
/** A leader that is starting up takes its partitions on one by one, hundreds of new ones within a second or two. */
const APPOINTED_BACKOFF: Backoff = { minMs: 20, maxMs: 100, factor: 1.5 }
/** ms */
const RETRY_BEAT_MS = 20

/** What becomes of a batch once it is answered or lost: it goes again, whole or in parts, or it ends. */
export class Settlement {
  private readonly settings: SettlementSettings
  private readonly host: SettlementHost
  private readonly endings: Endings
  private closed = false
  /** While set, a batch that comes back ends with this error instead of going again. */
  recalled: ((topic: string) => Error) | undefined

  constructor(settings: SettlementSettings, host: SettlementHost, endings: Endings) {
    this.settings = settings
    this.host = host
    this.endings = endings
  }

  answered(
    passenger: Passenger,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
  ): void {
    const { lane, batch } = passenger
    if (!lane.landed(batch)) return
    const verdict = verdictOf(answer.errorCode)
    if (verdict === 'written') {
      for (const each of allSetAside(lane)) this.endings.succeed(lane, each, FORGOTTEN, nodeId)
      return this.endings.succeed(lane, batch, answer, nodeId)
    }
    const code = errorCode(answer.errorCode)
    const cause = new BrokerVerdictError(
      `broker ${nodeId} answered ${code.type}: ${answer.errorMessage ?? code.message}`,
      code,
      { topic: lane.topic, partition: lane.partition },
    )
    // Any error closes the gate: a leader that has lost its state would take any sequence for the first.
    lane.confirmed = false
    if (mayBeWritten(answer.errorCode, answer.baseOffset)) batch.fateUnknown = true
    if (batch.expiredInFlight) return this.endings.drop(lane, batch)
    switch (verdict) {
      case 'moved':
        return this.moved(passenger, answer, nodeId, endpoint, cause)
      case 'retry':
        return this.retry(lane, batch, cause, code.type)
      case 'split':
        // Its parts would go again.
        if (this.recalled !== undefined) return this.retry(lane, batch, cause, code.type)
        return this.tooLarge(lane, batch, cause)
      case 'sequence':
        return this.sequenceRefused(lane, batch, answer, cause)
      case 'refused':
        return this.refused(lane, batch, answer, cause)
    }
  }

  /** acks 0: the bytes were written to the socket. */
  written({ lane, batch }: Passenger): void {
    if (lane.landed(batch)) this.endings.written(lane, batch)
  }

  /** The request ended without an answer. */
  lost({ lane, batch }: Passenger, error: Error, sent: boolean, nodeId: number): void {
    if (!lane.landed(batch)) return
    lane.confirmed = false
    if (sent) batch.fateUnknown = true
    if (batch.expiredInFlight) return this.endings.drop(lane, batch)
    if (this.closed) return
    if (this.isElsewhere(lane, nodeId)) return this.retry(lane, batch, error, error.name, AT_ONCE)
    this.host.refreshLeaders(lane, nodeId)
    this.retry(lane, batch, error, error.name)
  }

  private isElsewhere(lane: Lane, nodeId: number): boolean {
    return lane.sender !== undefined && lane.sender.nodeId !== nodeId
  }

  private moved(
    { lane, batch, topicId }: Passenger,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
    cause: BrokerVerdictError,
  ): void {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId >= 0) this.host.learnLeader(lane, leaderId, leaderEpoch, endpoint)
    // It was for a leader, or for a topic, whose successor is known by now.
    const isOutdated = this.isElsewhere(lane, nodeId) || topicId !== lane.topicId
    if (isOutdated) return this.retry(lane, batch, cause, cause.type, AT_ONCE)
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
    const end = lane.gone ?? this.recalled?.(lane.topic)
    if (end !== undefined) {
      const { attempts } = batch
      return this.endings.rejectSent(
        lane,
        batch,
        withOutcome(end, this.endings.outcomeOf(batch), { attempts }),
      )
    }
    if (batch.attempts - batch.excusedAttempts > this.settings.retries) {
      return this.endings.rejectSent(
        lane,
        batch,
        new DeliveryRetriesExceededError(lane.topic, {
          partition: lane.partition,
          attempts: batch.attempts,
          outcome: this.endings.outcomeOf(batch),
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
      return this.endings.rejectSent(lane, batch, withOutcome(error, this.endings.outcomeOf(batch)))
    }
    const half = batch.recordCount >>> 1
    const parts = [batch.extract(index => index < half), batch.extract(index => index >= half)]
    if (batch.identity !== undefined) {
      parts[0]!.identify(batch.identity, batch.baseSequence)
      parts[1]!.identify(batch.identity, advanceSequence(batch.baseSequence, half))
    }
    lane.shrink(batch.bodyBytes)
    this.host.observer.recordsRetried(lane.topic, batch.recordCount, cause.type)
    this.endings.substitute(lane, batch, parts)
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
    if (answer.errorCode === ERROR.outOfOrderSequence && setAside(lane, batch)) {
      return this.retry(lane, batch, cause, cause.type, AT_ONCE)
    }
    const isBehindForgotten = lane.batches[0]!.isSetAside
    if (isInnocent && !isBehindForgotten && !lane.unresolved && lane.batches[0] !== batch) {
      // The batch before it comes again, and it goes behind that one.
      return this.retry(lane, batch, cause, cause.type, AT_ONCE)
    }
    if (batch.identity !== undefined) lane.needsBump = true
    lane.unresolved = false
    batch.noteCause(cause)
    if (batch.deliveryClass.transactional) return this.refused(lane, batch, answer, cause)
    // Numbered anew, a record that an earlier attempt did write would stand there twice.
    if (batch.fateUnknown) {
      for (const each of allSetAside(lane)) this.endings.sequenceLost(lane, each)
      return this.endings.sequenceLost(lane, batch)
    }
    this.retry(lane, batch, cause, cause.type, isInnocent ? AT_ONCE : this.settings.backoff)
  }

  private refused(lane: Lane, batch: Batch, answer: PartitionAnswer, cause: BrokerVerdictError): void {
    const verdict = errorCode(answer.errorCode)
    const context = {
      partition: lane.partition,
      attempts: batch.attempts,
      outcome: this.endings.outcomeOf(batch),
      cause,
    }
    const named = new Map(answer.recordErrors.map(each => [each.batchIndex, each.batchIndexErrorMessage]))
    const isNamed = (index: number): boolean => named.has(index)
    const isDivisible = !batch.fateUnknown && this.recalled === undefined
    if (named.size > 0 && named.size < batch.recordCount && isDivisible) {
      const bad = batch.extract(isNamed)
      const good = batch.extract(index => !isNamed(index))
      if (bad.recordCount > 0 && good.recordCount > 0) {
        if (batch.identity !== undefined) lane.needsBump = true
        this.endings.substitute(lane, batch, [bad, good])
        const reason = [...named.values()].find(each => each !== null) ?? answer.errorMessage
        this.endings.reject(lane, bad, new RecordRejectedError(lane.topic, verdict, reason, context))
        return
      }
      for (const part of [bad, good]) part.leaveGenerations()
    }
    const { transactionalId } = this.settings
    const error =
      verdict.code === ERROR.topicAuthorizationFailed
        ? new TopicAuthorizationError(lane.topic, context)
        : verdict.code === ERROR.invalidTopic
          ? new InvalidTopicError(lane.topic, answer.errorMessage ?? verdict.message, context)
          : FENCED.has(verdict.code) && transactionalId !== undefined
            ? new ProducerFencedError(transactionalId, verdict, { topic: lane.topic, ...context })
            : new RecordRejectedError(lane.topic, verdict, answer.errorMessage, context)
    this.endings.rejectSent(lane, batch, error)
  }

  /** From here on what comes back from flight is left to {@link Endings.abandonAll}. */
  close(): void {
    this.closed = true
  }
}
