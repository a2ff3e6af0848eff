import type { Logger } from 'kafkajs'
import { BrokerVerdictError, withOutcome } from '../../errors/bases.js'
import {
  DeliveryRetriesExceededError,
  InvalidTopicError,
  ProducerFencedError,
  RecordRejectedError,
  RecordTooLargeError,
  TopicAuthorizationError,
} from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { BrokerAddress } from '../../transport/port.js'
import { type Backoff, backoffMs } from '../backoff.js'
import type { Batch } from '../batch/batch.js'
import { advanceSequence } from '../idempotence/sequences.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { PartitionWaits } from '../partitions/partitionWaits.js'
import type { InFlightBatch } from '../sending/inFlightRequest.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'
import type { BatchCompletion } from './batchCompletion.js'
import { mayBeWritten, verdictOf } from './errorVerdict.js'
import { StartingLeaders } from './startingLeaders.js'

export interface ResponseHandlerSettings {
  readonly retries: number
  readonly backoff: Backoff
  /** Of a transactional producer. */
  readonly transactionalId: string | undefined
}

/** What settling a batch needs of the engine. */
export interface ResponseHandlerHost {
  learnLeader(
    queue: PartitionQueue,
    leader: number,
    leaderEpoch: number,
    endpoint: BrokerAddress | undefined,
  ): void
  refreshLeaders(queue: PartitionQueue, avoidNode: number | undefined): void
  readonly random: () => number
  readonly observer: ProducerObserver
  readonly waits: PartitionWaits
  readonly logger: Logger
}

const FENCED: ReadonlySet<number> = new Set([ERROR.INVALID_PRODUCER_EPOCH, ERROR.PRODUCER_FENCED])
/** In the log, and the leader does not know where any more. */
const FORGOTTEN: PartitionAnswer = {
  index: -1,
  errorCode: ERROR.DUPLICATE_SEQUENCE_NUMBER,
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
/** Of batches that others probe for. */
const HELD_BACKOFF: Backoff = { minMs: 1000, maxMs: 1000, factor: 1 }
/** ms */
const RETRY_BEAT_MS = 20

/** What becomes of a batch once it is answered or lost: it is retried, whole or in parts, or it ends. */
export class ProduceResponseHandler {
  private readonly settings: ResponseHandlerSettings
  private readonly host: ResponseHandlerHost
  private readonly completion: BatchCompletion
  private readonly startingLeaders = new StartingLeaders()
  private closed = false
  /** While set, a batch that comes back ends with this error instead of going again. */
  withdrawalError: ((topic: string) => Error) | undefined

  constructor(settings: ResponseHandlerSettings, host: ResponseHandlerHost, completion: BatchCompletion) {
    this.settings = settings
    this.host = host
    this.completion = completion
  }

  answered(
    inFlightBatch: InFlightBatch,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
  ): void {
    const { queue, batch } = inFlightBatch
    if (!queue.landed(batch)) return
    const verdict = verdictOf(answer.errorCode)
    if (verdict === 'written') {
      for (const each of queue.producerState.allSetAside)
        this.completion.succeed(queue, each, FORGOTTEN, nodeId)
      queue.noteAccepted(batch)
      if (batch.attempts > 1) this.startingLeaders.accepted(nodeId, batch)
      return this.completion.succeed(queue, batch, answer, nodeId)
    }
    const code = errorCode(answer.errorCode)
    const cause = withoutStack(
      () =>
        new BrokerVerdictError(
          `broker ${nodeId} answered ${code.type}: ${answer.errorMessage ?? code.message}`,
          code,
          { topic: queue.topic, partition: queue.partition },
        ),
    )
    queue.producerState.failed()
    if (mayBeWritten(answer.errorCode, answer.baseOffset)) batch.outcomeUnknown = true
    if (batch.expiredInFlight) return this.completion.drop(queue, batch)
    switch (verdict) {
      case 'moved':
        return this.moved(inFlightBatch, answer, nodeId, endpoint, cause)
      case 'retry':
        return this.retry(queue, batch, cause)
      case 'split':
        // Its parts would go again.
        if (this.withdrawalError !== undefined) return this.retry(queue, batch, cause)
        return this.tooLarge(queue, batch, cause)
      case 'sequence':
        return this.sequenceRefused(queue, batch, answer, cause)
      case 'identity':
        return this.identityRefused(queue, batch, answer, cause)
      case 'refused':
        return this.refused(queue, batch, answer, cause)
    }
  }

  /** acks 0: the bytes were written to the socket. */
  written({ queue, batch }: InFlightBatch): void {
    if (queue.landed(batch)) this.completion.written(queue, batch)
  }

  /** The request ended without an answer. */
  lost(
    { queue, batch }: InFlightBatch,
    error: Error,
    sent: boolean,
    isExcused: boolean,
    nodeId: number,
  ): void {
    if (!queue.landed(batch)) return
    if (isExcused) batch.excusedAttempts++
    queue.producerState.failed()
    if (sent) batch.outcomeUnknown = true
    if (batch.expiredInFlight) return this.completion.drop(queue, batch)
    if (this.closed) return
    if (this.isElsewhere(queue, nodeId)) return this.retry(queue, batch, error, AT_ONCE)
    this.host.refreshLeaders(queue, nodeId)
    this.retry(queue, batch, error)
  }

  private isElsewhere(queue: PartitionQueue, nodeId: number): boolean {
    return queue.sender !== undefined && queue.sender.nodeId !== nodeId
  }

  private moved(
    { queue, batch, topicId }: InFlightBatch,
    answer: PartitionAnswer,
    nodeId: number,
    endpoint: BrokerAddress | undefined,
    cause: BrokerVerdictError,
  ): void {
    const { leaderId, leaderEpoch } = answer.currentLeader
    if (leaderId >= 0) this.host.learnLeader(queue, leaderId, leaderEpoch, endpoint)
    // It was for a leader, or for a topic, whose successor is known by now.
    const isOutdated = this.isElsewhere(queue, nodeId) || topicId !== queue.topicId
    if (isOutdated) return this.retry(queue, batch, cause, AT_ONCE)
    // The cluster calls this broker the leader, and the broker has not heard of it yet, as right after a topic's
    // creation: there is nothing to ask, and little to wait for.
    const isAppointed = leaderId === nodeId && batch.attempts <= APPOINTED_ATTEMPTS
    if (!isAppointed) {
      this.host.refreshLeaders(queue, undefined)
      return this.retry(queue, batch, cause)
    }
    if (this.startingLeaders.mayProbe(nodeId, batch))
      return this.retry(queue, batch, cause, APPOINTED_BACKOFF)
    if (this.goesOn(queue, batch, cause, HELD_BACKOFF)) this.startingLeaders.hold(nodeId, queue, batch)
  }

  private retry(
    queue: PartitionQueue,
    batch: Batch,
    cause: Error,
    backoff: Backoff = this.settings.backoff,
  ): void {
    if (!this.goesOn(queue, batch, cause, backoff)) return
    if (queue.sender === undefined) this.host.refreshLeaders(queue, undefined)
    else queue.sender.wake(queue)
  }

  /** Sets when the batch is retried, or ends it where it cannot be; says whether it is. */
  private goesOn(queue: PartitionQueue, batch: Batch, cause: Error, backoff: Backoff): boolean {
    batch.noteCause(cause)
    const end = queue.gone ?? this.withdrawalError?.(queue.topic)
    if (end !== undefined) {
      const { attempts } = batch
      const error = withOutcome(end, this.completion.outcomeOf(batch), { attempts })
      this.completion.rejectSent(queue, batch, error)
      return false
    }
    if (batch.attempts - batch.excusedAttempts > this.settings.retries) {
      this.completion.rejectSent(
        queue,
        batch,
        new DeliveryRetriesExceededError(queue.topic, {
          partition: queue.partition,
          attempts: batch.attempts,
          outcome: this.completion.outcomeOf(batch),
          elapsedMs: performance.now() - batch.createdAt,
          firstCause: batch.firstCause,
          cause,
        }),
      )
      return false
    }
    // What comes next on this partition waits behind it.
    queue.leaveKeyless()
    // What was lost with its connection waits for the broker.
    if (cause instanceof BrokerVerdictError) this.host.waits.retried(queue, cause)
    if (backoff !== AT_ONCE && backoff !== APPOINTED_BACKOFF) queue.setRetrying(true)
    const now = performance.now()
    const delayMs = backoffMs(backoff, batch.attempts, this.host.random())
    // On a common beat: hundreds of new topics then go again in one request instead of one each.
    batch.retryAt = delayMs === 0 ? now : Math.ceil((now + delayMs) / RETRY_BEAT_MS) * RETRY_BEAT_MS
    this.host.logger.debug('A record batch will be sent again', {
      topic: queue.topic,
      partition: queue.partition,
      records: batch.recordCount,
      attempt: batch.attempts,
      delayMs: Math.round(delayMs),
      reason: cause.message,
    })
    return true
  }

  private tooLarge(queue: PartitionQueue, batch: Batch, cause: BrokerVerdictError): void {
    if (batch.recordCount === 1) {
      const error = new RecordTooLargeError(
        queue.topic,
        "Make it smaller, or raise the topic's max.message.bytes.",
        { recordBytes: batch.wireBytes, partition: queue.partition, attempts: batch.attempts, cause },
      )
      return this.completion.rejectSent(queue, batch, withOutcome(error, this.completion.outcomeOf(batch)))
    }
    const half = batch.recordCount >>> 1
    const parts = [batch.extract(index => index < half), batch.extract(index => index >= half)]
    if (batch.identity !== undefined) {
      parts[0]!.identify(batch.identity, batch.baseSequence)
      parts[1]!.identify(batch.identity, advanceSequence(batch.baseSequence, half))
    }
    queue.shrink(batch)
    for (const part of parts) part.noteCause(cause)
    this.host.observer.batchSplit(queue.topic)
    this.completion.substitute(queue, batch, parts)
  }

  private sequenceRefused(
    queue: PartitionQueue,
    batch: Batch,
    answer: PartitionAnswer,
    cause: BrokerVerdictError,
  ): void {
    // Refused only because what stands before it is not in the log: that costs it no attempt.
    const isInnocent =
      answer.errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && !queue.producerState.expects(batch)
    if (isInnocent) batch.excusedAttempts++
    if (answer.errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && queue.producerState.setAside(batch)) {
      return this.retry(queue, batch, cause, AT_ONCE)
    }
    const isBehindForgotten = queue.batches[0]!.isSetAside
    if (isInnocent && !isBehindForgotten && !queue.producerState.isUnresolved && queue.batches[0] !== batch) {
      // The batch before it comes again, and it goes behind that one.
      return this.retry(queue, batch, cause, AT_ONCE)
    }
    // A batch that begins its epoch cannot be out of order, nor be unknown: it is the id that is not taken.
    const isIdRefused = answer.errorCode !== ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && batch.baseSequence === 0
    if (isIdRefused && !batch.deliveryClass.transactional) {
      return this.identityRefused(queue, batch, answer, cause)
    }
    queue.producerState.sequenceRefused(batch)
    batch.noteCause(cause)
    if (batch.deliveryClass.transactional) return this.refused(queue, batch, answer, cause)
    if (batch.outcomeUnknown) return this.sequencesLost(queue, batch, cause)
    this.retry(queue, batch, cause, isInnocent ? AT_ONCE : this.settings.backoff)
  }

  /** The producer id is forgotten, or another producer's: an idempotent producer asks for another one, and numbers anew. */
  private identityRefused(
    queue: PartitionQueue,
    batch: Batch,
    answer: PartitionAnswer,
    cause: BrokerVerdictError,
  ): void {
    // The id of a transactional producer is the coordinator's to renew; a batch without one is refused for another reason.
    if (batch.deliveryClass.transactional || batch.identity === undefined) {
      return this.refused(queue, batch, answer, cause)
    }
    queue.producerState.identityRefused()
    batch.noteCause(cause)
    if (batch.outcomeUnknown) return this.sequencesLost(queue, batch, cause)
    this.retry(queue, batch, cause)
  }

  /** Numbered anew, a record that an earlier attempt did write would stand there twice. */
  private sequencesLost(queue: PartitionQueue, batch: Batch, cause: BrokerVerdictError): void {
    for (const each of queue.producerState.allSetAside) this.completion.sequenceLost(queue, each, cause)
    this.completion.sequenceLost(queue, batch, cause)
  }

  private refused(
    queue: PartitionQueue,
    batch: Batch,
    answer: PartitionAnswer,
    cause: BrokerVerdictError,
  ): void {
    const verdict = errorCode(answer.errorCode)
    const context = {
      partition: queue.partition,
      attempts: batch.attempts,
      outcome: this.completion.outcomeOf(batch),
      cause,
    }
    const named = new Map(answer.recordErrors.map(each => [each.batchIndex, each.batchIndexErrorMessage]))
    const isNamed = (index: number): boolean => named.has(index)
    const isDivisible = !batch.outcomeUnknown && this.withdrawalError === undefined
    if (named.size > 0 && named.size < batch.recordCount && isDivisible) {
      const bad = batch.extract(isNamed)
      const good = batch.extract(index => !isNamed(index))
      if (bad.recordCount > 0 && good.recordCount > 0) {
        queue.producerState.divided(batch)
        this.completion.substitute(queue, batch, [bad, good])
        const reason = [...named.values()].find(each => each !== null) ?? answer.errorMessage
        this.completion.reject(queue, bad, new RecordRejectedError(queue.topic, verdict, reason, context))
        return
      }
      for (const part of [bad, good]) part.leaveGenerations()
    }
    const { transactionalId } = this.settings
    const error =
      verdict.code === ERROR.TOPIC_AUTHORIZATION_FAILED
        ? new TopicAuthorizationError(queue.topic, context)
        : verdict.code === ERROR.INVALID_TOPIC_EXCEPTION
          ? new InvalidTopicError(queue.topic, answer.errorMessage ?? verdict.message, context)
          : FENCED.has(verdict.code) && transactionalId !== undefined
            ? new ProducerFencedError(transactionalId, verdict, { topic: queue.topic, ...context })
            : new RecordRejectedError(queue.topic, verdict, answer.errorMessage, context)
    this.completion.rejectSent(queue, batch, error)
  }

  /** From here on what comes back from flight is left to {@link BatchCompletion.abandonAll}. */
  close(): void {
    this.closed = true
    this.startingLeaders.close()
  }
}
