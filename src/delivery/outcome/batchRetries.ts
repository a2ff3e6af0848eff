import { BrokerVerdictError, withOutcome } from '../../errors/bases.js'
import { DeliveryRetriesExceededError } from '../../errors/index.js'
import { type Backoff, backoffMs } from '../backoff.js'
import type { Batch } from '../batch/batch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import type { BatchCompletion } from './batchCompletion.js'
import type { ResponseHandlerHost, ResponseHandlerSettings } from './responseHandlerHost.js'

export const AT_ONCE: Backoff = { minMs: 0, maxMs: 0, factor: 1 }
/** A leader that is starting up takes its partitions on one by one, hundreds of new ones within a second or two. */
export const APPOINTED_BACKOFF: Backoff = { minMs: 20, maxMs: 100, factor: 1.5 }
/** Of batches that others probe for. */
export const HELD_BACKOFF: Backoff = { minMs: 1000, maxMs: 1000, factor: 1 }
/** ms */
const RETRY_BEAT_MS = 20

/** Whether a batch that was refused or lost is sent again, and when. */
export class BatchRetries {
  private readonly settings: ResponseHandlerSettings
  private readonly host: ResponseHandlerHost
  private readonly completion: BatchCompletion
  /** While set, a batch that comes back ends with this error and is not retried. */
  withdrawalError: ((topic: string) => Error) | undefined

  constructor(settings: ResponseHandlerSettings, host: ResponseHandlerHost, completion: BatchCompletion) {
    this.settings = settings
    this.host = host
    this.completion = completion
  }

  /** Sends the batch again after a backoff, or ends it where that cannot be. */
  retry(queue: PartitionQueue, batch: Batch, cause: Error, backoff: Backoff = this.settings.backoff): void {
    if (!this.scheduleRetry(queue, batch, cause, backoff)) return
    if (queue.sender === undefined) this.host.refreshLeaders(queue, undefined)
    else queue.sender.wake(queue)
  }

  /** Sets when the batch is retried, or ends it where it cannot be. @returns whether it is retried */
  scheduleRetry(queue: PartitionQueue, batch: Batch, cause: Error, backoff: Backoff): boolean {
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
    const counted = backoff === APPOINTED_BACKOFF ? batch.attempts : batch.attempts - batch.excusedAttempts
    const delayMs = backoffMs(backoff, Math.max(1, counted), this.host.random())
    // On a common beat: hundreds of new topics are then retried in one request instead of one each.
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
}
