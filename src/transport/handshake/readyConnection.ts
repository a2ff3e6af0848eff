import type { Logger } from 'kafkajs'
import { produceApi } from '../../protocol/messages/produce.js'
import { addressText } from '../address.js'
import type { ConnectionSettings } from '../configuration.js'
import type { BrokerConnection } from '../connection/brokerConnection.js'
import { connectionError } from '../connection/connectionErrors.js'
import { abortable, within } from '../connection/timeLimit.js'
import type { ConnectAttempts } from '../opening/connectAttempts.js'
import type { ConnectProgress } from '../opening/connectProgress.js'
import { quietLogger } from '../quiet.js'
import { negotiateVersions, proveAlive } from './apiVersions.js'
import { authenticate } from './sasl.js'
import { SaslSession } from './saslSession.js'
import { negotiate, type SpokenVersions } from './versions.js'

/**
 * After so long without a byte a connection has to prove that it lives, before a request is trusted to it: firewalls and load
 * balancers forget connections without a word. ms
 */
const TRUSTED_MS = 750
/** What such a proof may take. Two of them, of a control connection and a produce link, stay below the 3 s of a first record. ms */
const PROOF_MS = 1_000

export interface HandshakeParts {
  readonly settings: ConnectionSettings
  readonly logger: Logger
  /** Learns of each renewal of a login. */
  readonly attempts: ConnectAttempts
}

/** A connection after its handshake: versions are negotiated, and SASL has let it in. */
export class ReadyConnection {
  readonly connection: BrokerConnection
  readonly versions: SpokenVersions
  readonly #parts: HandshakeParts
  #session: SaslSession | undefined
  #isRetired = false

  private constructor(connection: BrokerConnection, versions: SpokenVersions, parts: HandshakeParts) {
    this.connection = connection
    this.versions = versions
    this.#parts = parts
  }

  /**
   * Negotiates versions and authenticates. An aborted signal, and any failure, closes the connection.
   *
   * @throws as {@link negotiateVersions} and {@link authenticate}
   */
  static async shakeHands(
    connection: BrokerConnection,
    parts: HandshakeParts,
    progress: ConnectProgress,
    signal: AbortSignal,
  ): Promise<ReadyConnection> {
    const { settings } = parts
    return closingOnFailure(connection, signal, async () => {
      // kafkajs's own answers to ApiVersions have connectionTimeout.
      const limitMs = Math.max(settings.requestTimeoutMs, settings.connectionTimeoutMs)
      progress.enter('ApiVersions', limitMs)
      const tooLate = () => progress.tooLate()
      const versions = await within(limitMs, tooLate, signal, limit => negotiateVersions(connection, limit))
      requireRecords(connection, versions)
      const ready = new ReadyConnection(connection, versions, parts)
      if (settings.sasl) await ready.#authenticate(progress, signal)
      return ready
    })
  }

  get isOpen(): boolean {
    return this.connection.isOpen
  }

  /** Before the next request {@link prepare} has to be called, with nothing in flight. */
  get needsPreparation(): boolean {
    const now = performance.now()
    return this.#isRetired || this.#isStale(now) || (this.#session?.state(now) ?? 'valid') !== 'valid'
  }

  /** Takes no request any more: closes as soon as nothing is in flight. */
  retire(): void {
    this.#isRetired = true
    if (this.connection.isIdle) this.connection.close(this.#movedError())
  }

  get isRetired(): boolean {
    return this.#isRetired
  }

  /**
   * Makes the connection fit for requests: renews the session, or has the broker answer something. Nothing else may be in flight.
   *
   * @throws when it is not fit; it is closed then, and another one has to be opened
   */
  async prepare(signal: AbortSignal): Promise<void> {
    const { connection } = this
    await closingOnFailure(connection, signal, async () => {
      if (this.#isRetired) throw this.#movedError()
      const now = performance.now()
      const state = this.#session?.state(now) ?? 'valid'
      // On a connection that may be dead a renewal would wait in vain for authenticationTimeout.
      if (state === 'replace' || (state === 'renew' && this.#isStale(now)))
        throw connectionError('The SASL session is over: a new connection is made', connection.address)
      if (state === 'renew') await this.#renew(signal)
      else if (this.#isStale(now)) await this.#proveAlive(signal)
    })
  }

  #isStale(now: number): boolean {
    const { connection } = this
    return (
      now - connection.lastReceivedAt > TRUSTED_MS && connection.isIdle && connection.throttledForMs === 0
    )
  }

  async #renew(signal: AbortSignal): Promise<void> {
    const { attempts } = this.#parts
    const progress = attempts.begin(this.connection.address)
    try {
      await this.#authenticate(progress, signal)
    } finally {
      attempts.end(progress)
    }
  }

  async #authenticate(progress: ConnectProgress, signal: AbortSignal): Promise<void> {
    const { connection, versions } = this
    const { sasl, authenticationTimeoutMs, reauthenticationThresholdMs } = this.#parts.settings
    if (!sasl) return
    const logger = quietLogger(this.#parts.logger)
    progress.enter('SASL', authenticationTimeoutMs)
    const tooLate = () => progress.tooLate()
    const lifetimeMs = await within(authenticationTimeoutMs, tooLate, signal, limit =>
      authenticate({ connection, versions, sasl, logger, progress, signal: limit }),
    )
    this.#session = new SaslSession(performance.now(), lifetimeMs, reauthenticationThresholdMs)
  }

  async #proveAlive(signal: AbortSignal): Promise<void> {
    const { connection } = this
    const silent = () =>
      connectionError(
        `${addressText(connection.address)} says nothing on a connection that was idle: a new one is made`,
        connection.address,
      )
    await within(PROOF_MS, silent, signal, limit => proveAlive(connection, limit))
  }

  #movedError(): Error {
    return connectionError('The broker has moved or left the cluster', this.connection.address)
  }
}

/**
 * A broker before Kafka 0.11 does not take the record batches that are sent here: that is said on the first connection to it, not at the
 * first record. One that does not list Produce at all may be asked for other things.
 *
 * @throws {UnsupportedApiError}
 */
const requireRecords = ({ address }: BrokerConnection, versions: SpokenVersions): void => {
  if (versions.has(produceApi.key)) negotiate(produceApi, versions, addressText(address))
}

/** Whatever ends the step without success closes the connection; its own end is the better reason. */
const closingOnFailure = async <T>(
  connection: BrokerConnection,
  signal: AbortSignal,
  step: () => Promise<T>,
): Promise<T> => {
  try {
    const result = await abortable(step(), signal)
    if (connection.closedWith !== undefined) throw connection.closedWith
    return result
  } catch (error) {
    connection.close(error as Error)
    throw error
  }
}
