import type { Logger } from 'kafkajs'
import { BrokerNotAllowedError, CertificateError } from '../../errors/index.js'
import { type Address, addressKey, addressText } from '../address.js'
import type { Configuration, ConnectionSettings } from '../configuration.js'
import { BrokerConnection } from '../connection/brokerConnection.js'
import { connectionError } from '../connection/connectionErrors.js'
import type { NetworkListener } from '../connection/networkEvents.js'
import { tellsCredentials } from '../handshake/mechanisms/index.js'
import { ReadyConnection } from '../handshake/readyConnection.js'
import { ConnectAttempts } from '../opening/connectAttempts.js'
import type { ConnectProgress } from '../opening/connectProgress.js'
import { openSocket } from '../opening/openSocket.js'
import type { BrokerHealth } from './brokerHealth.js'

/** Who named an address: the user, whom it is up to, or a broker. */
export type AddressOrigin = 'seed' | 'advertised'

export interface ConnectorParts {
  readonly configuration: Configuration
  readonly health: BrokerHealth
  readonly listener: NetworkListener
  readonly logger: Logger
  /** ms */
  readonly maxIdleMs: number
}

/** Opens connections, each with the configuration of the moment, and knows all that are open. */
export class Connector {
  readonly #parts: ConnectorParts
  readonly #all = new Set<BrokerConnection>()
  readonly #opening = new Set<AbortController>()
  readonly #attempts = new ConnectAttempts()
  /** A connection has been ready: what is refused from now on may be a matter of time. */
  #hasBeenReady = false
  #hasWarnedOfPlainText = false
  readonly #warned = new Set<string>()

  constructor(parts: ConnectorParts) {
    this.#parts = parts
  }

  /**
   * Within the configuration's limits for each step; `signal` may end it earlier, with its reason.
   *
   * @throws KafkaJSConnectionError, KafkaJSSASLAuthenticationError, {CertificateError}, {CredentialsProviderError},
   *   {BrokerNotAllowedError}, {MalformedMessageError}
   */
  async open(address: Address, origin: AddressOrigin, signal: AbortSignal): Promise<ReadyConnection> {
    const { health, configuration } = this.#parts
    const opening = new AbortController()
    const onAbort = () => opening.abort(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    this.#opening.add(opening)
    const progress = this.#attempts.begin(address)
    try {
      if (address.host === '') throw connectionError('The broker has no host name', address)
      if (origin === 'advertised') this.#checkAllowed(address)
      const settings = await configuration.settings()
      opening.signal.throwIfAborted()
      this.#warnOfPlainText(settings)
      const ready = await this.#connect(settings, progress, opening.signal)
      this.#hasBeenReady = true
      health.noteSuccess(addressKey(address))
      return ready
    } catch (error) {
      const reason = this.#judged(error as Error, address)
      if (!opening.signal.aborted) health.noteFailure(addressKey(address), performance.now(), reason)
      throw reason
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#opening.delete(opening)
      this.#attempts.end(progress)
    }
  }

  /** What an attempt that is under way waits for; undefined where none is. @param address default: any */
  pending(address?: Address): Error | undefined {
    return this.#attempts.pending(address)
  }

  /** Holds the connection's requests back, as a quota asks (KIP-219). */
  throttle(connection: BrokerConnection, ms: number): void {
    if (ms <= 0) return
    connection.throttle(ms)
    if (ms < TELLING_THROTTLE_MS) return
    const broker = addressText(connection.address)
    this.#warnOnce(
      `throttle ${broker}`,
      `The broker ${broker} asks this client to hold its requests back for ${Math.round(ms / 1000)} s: look at the quotas of its user and client id.`,
    )
  }

  /** Resolves when every socket is closed. */
  async closeAll(error: Error): Promise<void> {
    for (const opening of this.#opening) opening.abort(error)
    const all = [...this.#all]
    for (const connection of all) connection.close(error)
    await Promise.all(all.map(connection => connection.gone))
  }

  async #connect(
    settings: ConnectionSettings,
    progress: ConnectProgress,
    signal: AbortSignal,
  ): Promise<ReadyConnection> {
    const { listener, logger, maxIdleMs } = this.#parts
    const { address } = progress
    logger.debug('Connecting', { broker: addressText(address), ssl: !!settings.ssl, sasl: !!settings.sasl })
    const socket = await openSocket(settings, progress, signal)
    const connection = new BrokerConnection({
      address,
      socket,
      clientId: settings.clientId,
      listener,
      maxIdleMs,
    })
    this.#all.add(connection)
    void connection.gone.then(() => this.#all.delete(connection))
    const parts = { settings, logger, attempts: this.#attempts }
    return ReadyConnection.shakeHands(connection, parts, progress, signal)
  }

  /**
   * A first refusal is final: whoever waits for `connect()` has to hear of it. Later ones pass, as while a broker starts, while
   * credentials are being changed, or at a single broker.
   */
  #judged(error: Error, address: Address): Error {
    const isRefusal = error instanceof CertificateError || error.name === 'KafkaJSSASLAuthenticationError'
    if (!isRefusal || !this.#hasBeenReady) return error
    if (error instanceof CertificateError) this.#warnOnce(addressKey(address), error.message)
    return Object.defineProperty(error, 'retriable', { value: true, configurable: true })
  }

  #checkAllowed(address: Address): void {
    const { configuration } = this.#parts
    if (configuration.allowBroker === undefined) return
    let error: BrokerNotAllowedError | undefined
    try {
      if (!configuration.allowBroker(address.host, address.port))
        error = new BrokerNotAllowedError(addressText(address))
    } catch (cause) {
      error = new BrokerNotAllowedError(addressText(address), cause)
    }
    if (error === undefined) return
    this.#warnOnce(addressKey(address), error.message)
    throw error
  }

  #warnOnce(key: string, message: string): void {
    if (this.#warned.has(key)) return
    // A cluster that advertises ever new addresses would fill it.
    if (this.#warned.size >= MAX_WARNED) this.#warned.clear()
    this.#warned.add(key)
    this.#parts.logger.warn(message)
  }

  #warnOfPlainText({ ssl, sasl }: ConnectionSettings): void {
    if (this.#hasWarnedOfPlainText || ssl || !sasl || !tellsCredentials(sasl)) return
    this.#hasWarnedOfPlainText = true
    this.#parts.logger.warn(
      `SASL ${String(sasl.mechanism).toUpperCase()} without TLS sends credentials that anyone on the network can read. Set \`ssl\` in the KafkaConfig.`,
    )
  }
}

const MAX_WARNED = 1_000
/** Brokers throttle for some seconds, the length of their quota windows. ms */
const TELLING_THROTTLE_MS = 60_000
