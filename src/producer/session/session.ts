import type { Kafka, Logger } from 'kafkajs'
import { DeliveryEngine, SharedBuffer } from '../../delivery/engine.js'
import { ProducerIds } from '../../delivery/idempotence/producerIds.js'
import { ProducerClosedError } from '../../errors/index.js'
import type { HealthSource } from '../../health/health.js'
import type { ProducerLevels, ProducerObserver } from '../../metrics/observer.js'
import { TopicDirectory } from '../../topics/index.js'
import { createTransport, type NetworkListener } from '../../transport/index.js'
import { noteCommittedOffsets } from '../../transport/kafkajs/index.js'
import type { Transport } from '../../transport/port.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { WaitKind } from '../../waits/wait.js'
import type { TopicNames } from '../checks/validate.js'
import { engineSettings } from '../options/engineSettings.js'
import type { ProducerSettings } from '../options/options.js'
import { TransactionManager } from '../transactions/transactionManager.js'
import type { UnownedFailures } from '../unowned.js'
import { acquireProducerIdentity } from './producerIdentity.js'

export interface SessionParts {
  readonly kafka: Kafka
  readonly settings: ProducerSettings
  readonly logger: Logger
  readonly observer: ProducerObserver
  readonly waits: WaitRegistry
  readonly unowned: UnownedFailures
  readonly topicNames: TopicNames
  readonly network: NetworkListener
}

/** What exists from `connect` to `disconnect`: connections, metadata, the engine. */
export class Session {
  /** For records outside of transactions. */
  readonly engine: DeliveryEngine
  /** Of a producer with a transactional id. */
  readonly transactions: TransactionManager | undefined
  /** Called whenever buffer space comes free. */
  onSpace: (() => void) | undefined
  private readonly engines: readonly DeliveryEngine[]
  private readonly buffer: SharedBuffer
  private readonly transport: Transport
  private readonly directory: TopicDirectory
  private readonly producerIds: ProducerIds
  private readonly parts: SessionParts
  private readonly unwatch: () => void
  private readonly closing = new AbortController()
  private readonly startedAt = performance.now()
  /** Whether calls with acks -1 carry sequences; known once connected. */
  isSequenced = false

  constructor(parts: SessionParts) {
    const { kafka, settings, logger, observer, waits, unowned, topicNames, network } = parts
    this.parts = parts
    this.transport = createTransport(kafka, {
      listener: network,
      connectionsMaxIdleMs: settings.connectionsMaxIdleMs,
      allowBroker: settings.allowBroker,
    })
    this.directory = new TopicDirectory({
      transport: this.transport,
      policy: settings.topics,
      metadataRetry: settings.metadataRetry,
      metadataMaxAgeMs: settings.metadataMaxAgeMs,
      metadataMaxIdleMs: settings.metadataMaxIdleMs,
      metadataRequestTimeoutMs: settings.metadataRequestTimeoutMs,
      logger,
      observer,
      waits,
    })
    this.producerIds = new ProducerIds({
      transport: this.transport,
      logger,
      requestTimeoutMs: settings.metadataRequestTimeoutMs,
      random: Math.random,
      waits,
      observer,
    })
    const buffer = new SharedBuffer(settings.bufferBytes, settings.maxWaitingBytes)
    this.buffer = buffer
    this.engine = new DeliveryEngine(engineSettings(settings, undefined), {
      transport: this.transport,
      directory: this.directory,
      producerIds: this.producerIds,
      buffer,
      observer,
      waits,
      logger,
      onUnownedFailure: (error, place, records) => unowned.report(error, place, records),
      random: Math.random,
    })
    const { transactionalId } = settings
    if (transactionalId !== undefined) {
      const { transport, directory } = this
      this.transactions = new TransactionManager({
        transactionalId,
        settings,
        transport,
        directory,
        buffer,
        observer,
        waits,
        logger,
        topicNames,
        random: Math.random,
        offsetsCommitted: offsets => noteCommittedOffsets(kafka, offsets),
        closing: this.closing.signal,
      })
    }
    this.engines = this.transactions === undefined ? [this.engine] : [this.engine, this.transactions.engine]
    buffer.onFreed(() => this.onSpace?.())
    this.unwatch = observer.watchLevels(() => this.levels)
  }

  get healthSource(): HealthSource {
    const { buffer, engines, directory, levels } = this
    return {
      brokers: directory.brokers,
      statuses: engines.flatMap(({ brokers }) => brokers),
      answeredAt: directory.answeredAt,
      failure: directory.failure,
      buffer: { records: buffer.records, bytes: buffer.usedBytes, limitBytes: buffer.limitBytes },
      oldestRecordMs: levels.oldestRecordMs,
    }
  }

  /** What gauges show. */
  get levels(): ProducerLevels {
    const { buffer, engines, directory, parts } = this
    const now = performance.now()
    const recordsWaiting = new Map<WaitKind, number>()
    for (const { kind, waiters } of parts.waits.all)
      recordsWaiting.set(kind, (recordsWaiting.get(kind) ?? 0) + waiters.waitingRecords)
    const connections = new Map<number, number>()
    for (const { nodeId, isConnected } of engines.flatMap(({ brokers }) => brokers))
      connections.set(nodeId, (connections.get(nodeId) ?? 0) + (isConnected ? 1 : 0))
    return {
      bufferedRecords: buffer.records,
      bufferedBytes: buffer.usedBytes,
      bufferLimitBytes: buffer.limitBytes,
      topicsWaiting: directory.waitingTopics,
      requestsInFlight: engines.reduce((sum, { requestsInFlight }) => sum + requestsInFlight, 0),
      recordsWaiting,
      oldestRecordMs: Math.max(
        0,
        now - Math.min(now, ...engines.map(({ oldestRecordAt }) => oldestRecordAt)),
      ),
      partitionsWithoutLeader: directory.partitionsWithoutLeader,
      metadataAgeMs: now - (directory.answeredAt ?? this.startedAt),
      connections,
    }
  }

  /** Sends at once what has gathered; resolves when everything that was accepted before has ended. */
  async flush(): Promise<void> {
    await Promise.all(this.engines.map(engine => engine.flush()))
  }

  /** Ends what is under way: flushes, and aborts an open transaction. */
  async settle(): Promise<void> {
    await Promise.all([this.engine.flush(), this.transactions?.settle()])
  }

  /**
   * Reaches a broker and, for an idempotent producer, gets its id, and for a transactional one that of its transactions.
   *
   * @param onFailure learns of each attempt that failed and is followed by another
   * @throws {BrokersUnreachableError} {IdempotenceRefusedError} {ProducerIdUnavailableError} and final errors of the transport, as refused credentials;
   *   {@link TransactionRefusedError}, {@link CoordinatorTimeoutError}
   */
  async open(onFailure: (error: Error) => void): Promise<void> {
    await this.directory.connect(onFailure)
    await Promise.all([this.becomeIdempotent(onFailure), this.transactions?.connect(onFailure)])
  }

  private async becomeIdempotent(onFailure: (error: Error) => void): Promise<void> {
    const { idempotent, acks } = this.parts.settings
    if (idempotent === false || (idempotent === undefined && acks !== -1)) return
    const { metadataRetry: retry } = this.parts.settings
    this.isSequenced = await acquireProducerIdentity({
      producerIds: this.producerIds,
      directory: this.directory,
      idempotent,
      retry,
      logger: this.parts.logger,
      signal: this.closing.signal,
      onFailure,
    })
  }

  /** What the brokers are waited for at this moment; undefined where they are not. */
  get pending(): Error | undefined {
    return this.transport.pending()
  }

  /** Undefined: unknown. */
  get clusterId(): string | undefined {
    return this.directory.clusterId
  }

  /** Rejects what is left, closes every connection, and leaves no timer. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return
    const error = new ProducerClosedError()
    this.closing.abort(error)
    const told = [this.engine.close(), this.transactions?.close(error)]
    this.producerIds.close()
    this.directory.close(error)
    this.unwatch()
    await Promise.all([...told, this.transport.close()])
  }
}
