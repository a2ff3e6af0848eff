import { BrokerVerdictError, withOutcome } from '../../errors/bases.js'
import { RecordRejectedError, RecordTooLargeError } from '../../errors/index.js'
import { withoutStack } from '../../errors/withoutStack.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { BrokerAddress } from '../../transport/port.js'
import type { Batch } from '../batch/batch.js'
import { extractRecords } from '../batch/extractRecords.js'
import { advanceSequence } from '../idempotence/sequences.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { InFlightBatch } from '../requests/inFlightRequest.js'
import type { PartitionAnswer } from '../wire/produceResponse.js'
import type { BatchCompletion } from './batchCompletion.js'
import { APPOINTED_BACKOFF, AT_ONCE, BatchRetries, HELD_BACKOFF } from './batchRetries.js'
import { mayBeWritten, verdictOf } from './errorVerdict.js'
import { refusalError } from './refusalError.js'
import type { ResponseHandlerHost, ResponseHandlerSettings } from './responseHandlerHost.js'
import { StartingLeaders } from './startingLeaders.js'

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

/** After this many attempts even a leader that is said to be one is looked up again. */
const APPOINTED_ATTEMPTS = 50
/** The same where the broker that refused names no leader. */
const UNNAMED_ATTEMPTS = 10

/** How a broker refuses that has not heard of a partition, or not that it leads it. */
const NOT_HEARD_OF: ReadonlySet<number> = new Set([
  ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  ERROR.LEADER_NOT_AVAILABLE,
  ERROR.NOT_LEADER_OR_FOLLOWER,
  ERROR.UNKNOWN_TOPIC_ID,
])

/**
 * Whether a broker that refused is only starting to lead, as right after the topic's creation: there is little to wait for then. It names
 * itself, or nobody (-1) while it is just making the partition; brokers before Produce 10 (KIP-951) never name one.
 */
const isStartingToLead = (
  queue: PartitionQueue,
  batch: Batch,
  { errorCode: code, baseOffset, currentLeader: { leaderId } }: PartitionAnswer,
  nodeId: number,
): boolean => {
  if (queue.sender === undefined || !NOT_HEARD_OF.has(code)) return false
  // It was appended by a leader that lost its office meanwhile.
  if (mayBeWritten(code, baseOffset)) return false
  if (leaderId === nodeId) return batch.attempts <= APPOINTED_ATTEMPTS
  return leaderId < 0 && !queue.wasWritten && batch.attempts <= UNNAMED_ATTEMPTS
}

/** What becomes of a batch once it is answered or lost: it is retried, whole or in parts, or it ends. */
export class ProduceResponseHandler {
  private readonly settings: ResponseHandlerSettings
  private readonly host: ResponseHandlerHost
  private readonly completion: BatchCompletion
  private readonly startingLeaders = new StartingLeaders()
  readonly retries: BatchRetries
  private closed = false

  constructor(settings: ResponseHandlerSettings, host: ResponseHandlerHost, completion: BatchCompletion) {
    this.settings = settings
    this.host = host
    this.completion = completion
    this.retries = new BatchRetries(settings, host, completion)
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
    if (mayBeWritten(answer.errorCode, answer.baseOffset)) batch.noteUnknownOutcome()
    if (batch.expiredInFlight) return this.completion.drop(queue, batch)
    switch (verdict) {
      case 'moved':
        return this.moved(inFlightBatch, answer, nodeId, endpoint, cause)
      case 'retry':
        return this.retries.retry(queue, batch, cause)
      case 'split':
        // Its parts would be retried.
        if (this.retries.withdrawalError !== undefined) return this.retries.retry(queue, batch, cause)
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
    if (isExcused) batch.excuseAttempt()
    queue.producerState.failed()
    if (sent) batch.noteUnknownOutcome()
    if (batch.expiredInFlight) return this.completion.drop(queue, batch)
    if (this.closed) return
    if (this.isElsewhere(queue, nodeId)) return this.retries.retry(queue, batch, error, AT_ONCE)
    this.host.refreshLeaders(queue, nodeId)
    this.retries.retry(queue, batch, error)
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
    if (isOutdated) return this.retries.retry(queue, batch, cause, AT_ONCE)
    const isStarting = isStartingToLead(queue, batch, answer, nodeId)
    if (!isStarting || leaderId !== nodeId) this.host.refreshLeaders(queue, undefined)
    if (!isStarting) return this.retries.retry(queue, batch, cause)
    // It is asked ten times a second: `retry.retries` is for attempts that wait as long as the options say.
    batch.excuseAttempt()
    if (this.startingLeaders.mayProbe(nodeId, batch))
      return this.retries.retry(queue, batch, cause, APPOINTED_BACKOFF)
    if (this.retries.scheduleRetry(queue, batch, cause, HELD_BACKOFF))
      this.startingLeaders.hold(nodeId, queue, batch)
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
    const parts = [
      extractRecords(batch, index => index < half),
      extractRecords(batch, index => index >= half),
    ]
    if (batch.identity !== undefined) {
      parts[0]!.identify(batch.identity, batch.baseSequence)
      parts[1]!.identify(batch.identity, advanceSequence(batch.baseSequence, half))
    }
    queue.shrink(batch)
    for (const part of parts) part.noteCause(cause)
    this.host.observer.batchSplit(queue.topic)
    this.replaceByParts(queue, batch, parts)
  }

  private replaceByParts(queue: PartitionQueue, batch: Batch, parts: readonly Batch[]): void {
    this.completion.substitute(queue, batch, parts)
    // The topic went while the batch was in flight, and what else it had has ended: nobody asks for it any more.
    if (queue.sender === undefined) this.host.refreshLeaders(queue, undefined)
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
    if (isInnocent) batch.excuseAttempt()
    if (answer.errorCode === ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER && queue.producerState.setAside(batch)) {
      return this.retries.retry(queue, batch, cause, AT_ONCE)
    }
    const isBehindForgotten = queue.batches[0]!.isSetAside
    if (isInnocent && !isBehindForgotten && !queue.producerState.isUnresolved && queue.batches[0] !== batch) {
      // The batch before it comes again, and it goes behind that one.
      return this.retries.retry(queue, batch, cause, AT_ONCE)
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
    this.retries.retry(queue, batch, cause, isInnocent ? AT_ONCE : this.settings.backoff)
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
    this.retries.retry(queue, batch, cause)
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
    const isDivisible = !batch.outcomeUnknown && this.retries.withdrawalError === undefined
    if (named.size > 0 && named.size < batch.recordCount && isDivisible) {
      const bad = extractRecords(batch, isNamed)
      const good = extractRecords(batch, index => !isNamed(index))
      if (bad.recordCount > 0 && good.recordCount > 0) {
        queue.producerState.divided(batch)
        this.replaceByParts(queue, batch, [bad, good])
        const reason = [...named.values()].find(each => each !== null) ?? answer.errorMessage
        this.completion.reject(queue, bad, new RecordRejectedError(queue.topic, verdict, reason, context))
        return
      }
      for (const part of [bad, good]) part.leaveFlushBarriers()
    }
    const error = refusalError(queue.topic, answer, this.settings.transactionalId, context)
    this.completion.rejectSent(queue, batch, error)
  }

  /** From here on what comes back from flight is left to {@link BatchCompletion.abandonAll}. */
  close(): void {
    this.closed = true
    this.startingLeaders.close()
  }
}
