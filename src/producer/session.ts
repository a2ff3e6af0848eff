import type { Kafka, Logger } from 'kafkajs'
import { DeliveryEngine } from '../delivery/engine.js'
import { ProducerIds } from '../delivery/producerIds.js'
import { BrokersUnreachableError, IdempotenceRefusedError, ProducerClosedError } from '../errors/index.js'
import { onSchedule } from '../metadata/schedule.js'
import type { ProducerObserver } from '../metrics/observer.js'
import { TopicDirectory } from '../topics/index.js'
import { createKafkajsTransport } from '../transport/kafkajs/index.js'
import type { Transport } from '../transport/port.js'
import type { ProducerSettings } from './options.js'
import { reportUnowned } from './unowned.js'

/** What may stand around the one batch of a request: headers, a client id and a topic's name. bytes */
const REQUEST_FRAME_BYTES = 512

export interface SessionParts {
  readonly kafka: Kafka
  readonly settings: ProducerSettings
  readonly logger: Logger
  readonly observer: ProducerObserver
  readonly emit: (eventName: string, payload: object) => void
}

/** What exists from `connect` to `disconnect`: connections, metadata, the engine. */
export class Session {
  readonly engine: DeliveryEngine
  private readonly transport: Transport
  private readonly directory: TopicDirectory
  private readonly producerIds: ProducerIds
  private readonly parts: SessionParts
  private readonly unwatch: () => void
  private readonly closing = new AbortController()
  /** Whether calls with acks -1 carry sequences; known once connected. */
  isSequenced = false

  constructor(parts: SessionParts) {
    const { kafka, settings, logger, observer, emit } = parts
    this.parts = parts
    this.transport = createKafkajsTransport(kafka, { emit })
    this.directory = new TopicDirectory({
      transport: this.transport,
      policy: settings.topics,
      metadataRetry: settings.metadataRetry,
      metadataMaxAgeMs: settings.metadataMaxAgeMs,
      metadataMaxIdleMs: settings.metadataMaxIdleMs,
      metadataRequestTimeoutMs: settings.metadataRequestTimeoutMs,
      logger,
      observer,
    })
    this.producerIds = new ProducerIds({
      transport: this.transport,
      logger,
      requestTimeoutMs: settings.metadataRequestTimeoutMs,
      random: Math.random,
    })
    this.engine = new DeliveryEngine(
      {
        ...settings,
        batchLimits: {
          bytes: Math.min(settings.batchBytes, settings.requestBytes - REQUEST_FRAME_BYTES),
          records: settings.batchRecords,
        },
        retries: settings.retry.retries,
        retryBackoff: {
          minMs: settings.retry.minTimeoutMs,
          maxMs: settings.retry.maxTimeoutMs,
          factor: settings.retry.factor,
          jitter: settings.retry.jitter,
        },
      },
      {
        transport: this.transport,
        directory: this.directory,
        producerIds: this.producerIds,
        observer,
        logger,
        onUnownedFailure: (error, place, records) => {
          for (let i = 0; i < records; i++) reportUnowned({ settings, logger }, error, place)
        },
        random: Math.random,
      },
    )
    this.unwatch = observer.watchLevels(() => this.engine.levels)
  }

  /**
   * Reaches a broker and, for an idempotent producer, gets its id.
   *
   * @param onFailure learns of each attempt that failed and is followed by another
   * @throws {BrokersUnreachableError} {IdempotenceRefusedError} and final errors of the transport, as refused credentials
   */
  async open(onFailure: (error: Error) => void): Promise<void> {
    await this.directory.connect(onFailure)
    const { idempotent, acks } = this.parts.settings
    if (idempotent === false || (idempotent === undefined && acks !== -1)) return
    try {
      await this.acquireProducerId(onFailure)
      this.isSequenced = true
    } catch (error) {
      if (!(error instanceof IdempotenceRefusedError) || idempotent === true) throw error
      this.parts.logger.warn(
        `Going on without idempotence: a retry may write a record twice. ${error.message} Set idempotent: false to silence this.`,
      )
    }
  }

  private acquireProducerId(onFailure: (error: Error) => void): Promise<void> {
    return onSchedule(() => this.producerIds.acquire(), {
      retry: this.parts.settings.metadataRetry,
      signal: this.closing.signal,
      onRetry: ({ attempt, delayMs, error }) => {
        onFailure(error)
        this.parts.logger.debug('No producer id yet', { attempt, delayMs, error: error.message })
      },
      exhausted: ({ attempts, elapsedMs, cause }) =>
        new BrokersUnreachableError('No broker gave a producer id', { attempts, elapsedMs, cause }),
    })
  }

  /** Rejects what is left, closes every connection, and leaves no timer. */
  async close(): Promise<void> {
    if (this.closing.signal.aborted) return
    const error = new ProducerClosedError()
    this.closing.abort(error)
    this.engine.close()
    this.producerIds.close()
    this.directory.close(error)
    this.unwatch()
    await this.transport.close()
  }
}
