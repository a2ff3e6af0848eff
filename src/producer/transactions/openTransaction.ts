import type { ProducerBatch, ProducerRecord, RecordMetadata } from 'kafkajs'
import { NonRetriableError } from '../../errors/bases.js'
import { TransactionAbortedError, TransactionFailedError } from '../../errors/index.js'
import type { TransactionOutcome } from '../../metrics/observer.js'
import type { Sending } from '../calls/sending.js'
import type { Abortable, TransactionOffsets } from '../types.js'
import { PendingCalls } from './pendingCalls.js'
import type { GroupOffsets } from './requests/groupOffsets.js'
import type { TransactionPartitions } from './requests/transactionPartitions.js'
import { isForgotten } from './requests/verdicts.js'

/** What a transaction needs of the producer. */
export interface TransactionHost {
  readonly transactionalId: string
  /** Why the producer can do nothing any more. */
  readonly fatal: Error | undefined
  /** Takes an error for fatal where it is. */
  readonly note: (error: Error) => void
  /** Rejects what is in no request; what is in one is not retried. */
  readonly withdrawAll: (error: (topic: string) => Error) => void
  /** Resolves when the records that were sent so far have ended. */
  readonly flush: () => Promise<void>
  /** Resolves when nothing is in a request. */
  readonly landed: () => Promise<void>
  /** EndTxn. @throws when it cannot be ended so */
  readonly commit: () => Promise<void>
  /** EndTxn. @throws fatal errors; {@link isForgotten} where there is nothing to be ended */
  readonly abort: () => Promise<void>
  /** The offsets are the group's. */
  readonly offsetsCommitted: (offsets: GroupOffsets['taken']) => void
  /** Prepares the producer for another transaction. @param failure of the one that has ended */
  readonly ended: (outcome: TransactionOutcome, failure: Error | undefined) => Promise<void>
}

export interface OpenTransactionParts {
  readonly host: TransactionHost
  readonly sending: Sending
  readonly transactionPartitions: TransactionPartitions
  readonly offsets: GroupOffsets
  /** Ends requests of the transaction that are asked again. */
  readonly giveUp: AbortController
}

type Status = 'open' | 'committing' | 'aborting' | 'ended'

/** One transaction, from `transaction()` to its end. */
export class OpenTransaction {
  private readonly parts: OpenTransactionParts
  private readonly calls = new PendingCalls()
  private status: Status = 'open'
  private failure: Error | undefined
  private ending: Promise<void> | undefined
  readonly startedAt = performance.now()

  constructor(parts: OpenTransactionParts) {
    this.parts = parts
  }

  get isActive(): boolean {
    return this.status === 'open' && this.parts.host.fatal === undefined
  }

  get transactionPartitions(): TransactionPartitions {
    return this.parts.transactionPartitions
  }

  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]> {
    return this.call(() => this.parts.sending.send(record))
  }

  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]> {
    return this.call(() => this.parts.sending.sendBatch(batch))
  }

  sendOffsets(offsets: TransactionOffsets): Promise<void> {
    return this.call(() => this.parts.offsets.send(offsets))
  }

  private call<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.guard()
      if (this.failure !== undefined) throw this.failed(this.failure)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.calls.track(work(), error => this.fail(error))
  }

  /** @throws as kafkajs does when the transaction has ended */
  private guard(): void {
    const { fatal } = this.parts.host
    if (this.status === 'ended') throw new NonRetriableError('Cannot continue to use transaction once ended')
    if (fatal !== undefined) throw fatal
    if (this.status !== 'open') throw new NonRetriableError('Cannot continue to use transaction once ended')
  }

  private failed(cause: Error, topic?: string): TransactionFailedError {
    const { transactionalId } = this.parts.host
    return new TransactionFailedError(transactionalId, { topic, cause, outcome: 'not-written' })
  }

  /** Something of the transaction has failed: it can only be aborted. What waits is dropped, as it would be then. */
  fail(error: Error): void {
    if (this.failure !== undefined || this.status === 'aborting' || this.status === 'ended') return
    this.failure = error
    this.parts.host.note(error)
    // Not at once: the queues are in the middle of ending the batch that failed.
    queueMicrotask(() => {
      if (this.status === 'open' || this.status === 'committing') this.drop(error)
    })
  }

  private drop(error: Error): void {
    const { host } = this.parts
    host.withdrawAll(topic => host.fatal ?? this.failed(error, topic))
  }

  /**
   * Waits for what was sent, and commits it.
   *
   * @throws {TransactionFailedError} when something of it has failed; errors that are fatal to the producer
   */
  commit(): Promise<void> {
    return this.end(() => this.tryCommit())
  }

  /**
   * Drops what waits, waits for what is in requests, and aborts.
   *
   * @throws {CoordinatorTimeoutError} when the coordinator could not be asked: it may be aborted again; errors that are fatal to the producer
   */
  abort(): Promise<void> {
    return this.end(() => this.tryAbort())
  }

  private async end(work: () => Promise<void>): Promise<void> {
    this.guard()
    this.ending = work()
    await this.ending
  }

  private async tryCommit(): Promise<void> {
    const { host, transactionPartitions, offsets } = this.parts
    this.status = 'committing'
    await host.flush()
    await this.calls.none()
    if (
      this.failure === undefined &&
      host.fatal === undefined &&
      (transactionPartitions.isBegun || offsets.isBegun)
    ) {
      try {
        await host.commit()
      } catch (error) {
        this.fail(error as Error)
      }
    }
    if (host.fatal !== undefined) throw host.fatal
    if (this.failure !== undefined) {
      this.status = 'open'
      throw this.failed(this.failure)
    }
    host.offsetsCommitted(offsets.taken)
    await this.finish('committed')
  }

  private async tryAbort(): Promise<void> {
    const { host, transactionPartitions, offsets } = this.parts
    this.status = 'aborting'
    host.withdrawAll(topic => new TransactionAbortedError(topic, { outcome: 'not-written' }))
    this.giveUp(new NonRetriableError('The transaction is being aborted.'))
    // What reached a broker after the end of the transaction would belong to the next one, or to none.
    await Promise.all([host.landed(), transactionPartitions.idle(), this.calls.none()])
    const isBegun = transactionPartitions.isBegun || offsets.isBegun
    if (isBegun && !isForgotten(this.failure)) await this.endByAbort()
    await this.finish('aborted')
  }

  private async endByAbort(): Promise<void> {
    const { host } = this.parts
    try {
      await host.abort()
    } catch (error) {
      if (isForgotten(error)) {
        // Nothing is left to be ended; the next transaction needs another epoch.
        this.failure = error
        return
      }
      // The coordinator has it open still: unless the producer is done for, it can be aborted again.
      if (host.fatal === undefined) {
        this.failure ??= error as Error
        this.status = 'open'
      }
      throw error
    }
  }

  /** Its requests are not asked again. */
  giveUp(error: Error): void {
    this.parts.giveUp.abort(error)
  }

  private async finish(outcome: TransactionOutcome): Promise<void> {
    await this.parts.host.ended(outcome, this.failure)
    this.status = 'ended'
  }

  /** The producer disconnects: aborts it, unless it is about to end. */
  async settle(): Promise<void> {
    await this.ending?.catch(() => {})
    if (this.isActive) await this.abort()
  }
}
