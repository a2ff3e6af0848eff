import type { Logger } from 'kafkajs'
import { DeliveryEngine, type SharedBuffer } from '../../delivery/engine.js'
import type { IdentitySource } from '../../delivery/idempotence/producerIds.js'
import { BrokerVerdictError, messageOf, NonRetriableError, type Outcome } from '../../errors/bases.js'
import { CoordinatorTimeoutError, ProducerFencedError, TransactionTimedOutError } from '../../errors/index.js'
import type { ProducerObserver, TransactionOutcome } from '../../metrics/observer.js'
import type { TopicDirectory } from '../../topics/index.js'
import type { Transport } from '../../transport/port.js'
import type { WaitRegistry } from '../../waits/registry.js'
import { RefusedCalls } from '../calls/refusedCalls.js'
import { Sending } from '../calls/sending.js'
import { DeliveryClasses } from '../checks/deliveryClasses.js'
import type { TopicNames } from '../checks/validate.js'
import { engineSettings } from '../options/engineSettings.js'
import type { ProducerSettings } from '../options/options.js'
import type { ResilientTransaction } from '../types.js'
import { OpenTransaction, type TransactionHost } from './openTransaction.js'
import { Coordinators, type Patience } from './requests/coordinators.js'
import { endTransaction } from './requests/endTransaction.js'
import { EpochRenewal } from './requests/epochRenewal.js'
import { GroupOffsets, type TakenOffset } from './requests/groupOffsets.js'
import { TransactionalIdentity } from './requests/transactionalIdentity.js'
import { TransactionPartitions } from './requests/transactionPartitions.js'
import { isFatal, isForgotten, isIdentityUnknown } from './requests/verdicts.js'
import { TransactionCounts } from './transactionCounts.js'

export interface TransactionManagerParts {
  readonly transactionalId: string
  readonly settings: ProducerSettings
  readonly transport: Transport
  readonly directory: TopicDirectory
  readonly buffer: SharedBuffer
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly logger: Logger
  readonly topicNames: TopicNames
  readonly random: () => number
  /** Offsets are a group's now, as others in the process may want to know. */
  readonly offsetsCommitted: (offsets: readonly TakenOffset[]) => void
  /** Aborted when the session closes. */
  readonly closing: AbortSignal
}

/** The transactions of one session, one after the other, on an engine of their own: records outside of them have another producer id. */
export class TransactionManager implements TransactionHost, IdentitySource {
  readonly engine: DeliveryEngine
  readonly transactionalId: string
  fatal: Error | undefined
  onRenewed: (() => void) | undefined
  private readonly parts: TransactionManagerParts
  private readonly coordinators: Coordinators
  private readonly identity: TransactionalIdentity
  private readonly classes: DeliveryClasses
  private readonly counts: TransactionCounts
  private readonly renewal: EpochRenewal
  private open: OpenTransaction | undefined
  private isBeginning = false

  constructor(parts: TransactionManagerParts) {
    const { transactionalId, settings, transport, logger, observer, waits, random } = parts
    this.parts = parts
    this.transactionalId = transactionalId
    this.coordinators = new Coordinators({
      transport,
      logger,
      firstTimeoutMs: settings.metadataRequestTimeoutMs,
      requestTimeoutMs: settings.requestTimeoutMs,
      random,
      waits,
    })
    const { transactionTimeoutMs } = settings
    const { coordinators } = this
    this.identity = new TransactionalIdentity({
      transactionalId,
      transactionTimeoutMs,
      coordinators,
      logger,
      observer,
    })
    const patience = this.patience(parts.closing)
    this.renewal = new EpochRenewal({
      transactionalId,
      coordinators,
      identity: this.identity,
      patience,
      logger,
      random,
    })
    this.counts = new TransactionCounts(observer)
    this.classes = new DeliveryClasses({ ...settings, acks: -1 }, 'transactional', logger)
    this.engine = new DeliveryEngine(engineSettings(settings, transactionalId), {
      transport: transport.separateLinks(),
      directory: parts.directory,
      producerIds: this,
      buffer: parts.buffer,
      transaction: {
        ensureAdded: queue => this.open?.transactionPartitions.ensureAdded(queue) ?? false,
        failed: error => this.open?.fail(error),
        get problem() {
          return coordinators.problem
        },
      },
      observer: this.counts.observer,
      waits,
      logger,
      // Each record of a transaction belongs to a call.
      onUnownedFailure: () => {},
      random,
    })
  }

  get current() {
    return this.identity.current
  }

  get problem(): Error | undefined {
    return this.coordinators.problem
  }

  /** A partition's sequences cannot go on in this epoch. */
  renew(): void {
    this.open?.fail(new NonRetriableError('The sequences of a partition need another producer epoch.'))
  }

  /**
   * Gets the producer id, which fences the producer that had the transactional id before.
   *
   * @param onRetry learns of each attempt that failed and is followed by another
   * @throws {TransactionRefusedError} {ProducerFencedError} {CoordinatorTimeoutError}
   */
  connect(onRetry: (error: Error) => void): Promise<void> {
    const { settings, closing } = this.parts
    return this.identity.acquire({
      timeoutMs: settings.metadataRetry.maxRetryTimeMs,
      bound: 'metadataRetry.maxRetryTimeMs',
      signal: closing,
      onRetry,
    })
  }

  /** @throws {NonRetriableError} with kafkajs's words while another is open; what is fatal to the producer; why there is no epoch yet */
  async begin(): Promise<ResilientTransaction> {
    if (this.fatal !== undefined) throw this.fatal
    if (this.open !== undefined || this.isBeginning) {
      throw new NonRetriableError(
        'There is already an ongoing transaction for this producer. Please end the transaction before beginning another.',
      )
    }
    // Until the transaction is open: a call between the new epoch and that would open another.
    this.isBeginning = true
    try {
      if (this.renewal.owed !== undefined) await this.renewEpoch()
      const reason = this.fatal ?? this.renewal.owed
      if (reason !== undefined) throw reason
      return this.newTransaction()
    } finally {
      this.isBeginning = false
    }
  }

  private newTransaction(): ResilientTransaction {
    const { transactionalId, coordinators } = this
    const giveUp = new AbortController()
    const patience = this.patience(giveUp.signal)
    const identity = () => this.identity.current!
    const transactionPartitions = new TransactionPartitions({
      transactionalId,
      identity,
      coordinators,
      patience,
      unknown: topic => this.engine.suspectTopic(topic),
      refused: (queue, error) => this.engine.rejectUnsentOf(queue, error),
      failed: error => this.open?.fail(error),
    })
    const offsets = new GroupOffsets({ transactionalId, identity, coordinators, patience })
    const { engine, classes } = this
    const target = { engine, classes }
    const sending = new Sending(
      { live: target, connected: target },
      { ...this.parts.settings, idempotent: true },
      this.parts.topicNames,
      new RefusedCalls(this.parts.observer),
    )
    const open = new OpenTransaction({ host: this, sending, transactionPartitions, offsets, giveUp })
    this.open = open
    this.counts.begun()
    return {
      send: record => open.send(record),
      sendBatch: batch => open.sendBatch(batch),
      sendOffsets: sent => open.sendOffsets(sent),
      commit: () => open.commit(),
      abort: () => open.abort(),
      isActive: () => open.isActive,
    }
  }

  note(error: Error): void {
    if (isFatal(error)) this.die(error)
  }

  private die(error: Error & { readonly outcome?: Outcome }): void {
    if (this.fatal !== undefined) return
    const { transactionTimeoutMs } = this.parts.settings
    const openMs = this.open === undefined ? 0 : performance.now() - this.open.startedAt
    const fatal =
      error instanceof ProducerFencedError && openMs >= transactionTimeoutMs
        ? new TransactionTimedOutError(
            this.transactionalId,
            { type: error.type, code: error.code },
            { openMs, transactionTimeoutMs, outcome: error.outcome, cause: error },
          )
        : error
    this.fatal = fatal
    this.counts.ended('failed', error.outcome !== 'unknown')
    queueMicrotask(() => this.withdrawAll(() => fatal))
  }

  withdrawAll(error: (topic: string) => Error): void {
    this.engine.rejectUnsent(error)
  }

  flush(): Promise<void> {
    return this.engine.flush()
  }

  landed(): Promise<void> {
    return this.engine.landed()
  }

  async commit(): Promise<void> {
    try {
      await this.end('commit')
    } catch (error) {
      // It may have been committed: only another InitProducerId settles that, by connecting again.
      const isOpen = (error as { readonly outcome?: Outcome }).outcome === 'unknown'
      if (isOpen || error instanceof CoordinatorTimeoutError) this.die(error as Error)
      throw error
    }
  }

  async abort(): Promise<void> {
    try {
      await this.end('abort')
    } catch (error) {
      if (isForgotten(error)) throw error
      // Any other verdict of the coordinator is for good; a broker out of reach, or a login refused for a while, is not.
      if (!isFatal(error) && !(error instanceof BrokerVerdictError)) throw error
      this.die(error)
      throw this.fatal
    }
  }

  private end(how: 'commit' | 'abort'): Promise<void> {
    const { transactionalId, coordinators, identity } = this
    const patience = this.patience(this.parts.closing)
    return endTransaction({ transactionalId, coordinators, identity, patience }, how)
  }

  private patience(signal: AbortSignal): Patience {
    return { timeoutMs: this.parts.settings.deliveryTimeoutMs, bound: 'deliveryTimeoutMs', signal }
  }

  offsetsCommitted(offsets: readonly TakenOffset[]): void {
    this.parts.offsetsCommitted(offsets)
  }

  async ended(outcome: TransactionOutcome, failure: Error | undefined): Promise<void> {
    this.counts.ended(outcome)
    const { engine, identity, coordinators } = this
    const { unsettled } = engine
    const needsEpoch = unsettled.length > 0 || isIdentityUnknown(failure)
    // A request that was not answered may still be served: one with this epoch would then act on the next transaction.
    if (needsEpoch || (coordinators.hasUnanswered && identity.canRenew)) await this.renewEpoch()
    engine.resume()
    this.open = undefined
  }

  private async renewEpoch(): Promise<void> {
    try {
      await this.renewal.run(this.engine)
    } catch (error) {
      this.die(error as Error)
    }
  }

  /** Aborts a transaction that is open, and waits for one that ends. */
  async settle(): Promise<void> {
    await this.open?.settle().catch(error => {
      this.parts.logger.debug('An open transaction was not aborted', { error: messageOf(error) })
    })
  }

  /** What is left is rejected with the error, and so is every call from here on. */
  async close(error: Error): Promise<void> {
    this.fatal ??= error
    this.open?.giveUp(error)
    await this.engine.close()
  }
}
