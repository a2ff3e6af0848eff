import type { Logger } from 'kafkajs'
import { CredentialsProviderError } from '../../errors/index.js'
import { decodeResponse, encodeBody } from '../../protocol/api.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import { saslAuthenticateApi } from '../../protocol/messages/saslAuthenticate.js'
import { saslHandshakeApi } from '../../protocol/messages/saslHandshake.js'
import { printable } from '../../util/printable.js'
import { isError } from '../../util/realms.js'
import { addressText } from '../address.js'
import type { SaslSettings } from '../configuration.js'
import type { BrokerConnection } from '../connection/brokerConnection.js'
import { closedError } from '../connection/connectionErrors.js'
import { exchange } from '../connection/exchange.js'
import type { ConnectProgress } from '../opening/connectProgress.js'
import { type Mechanism, mechanismOf } from './mechanisms/index.js'
import { saslError, saslRefusal } from './saslErrors.js'
import { negotiate, type SpokenVersions } from './versions.js'

/** Neither a list of mechanisms nor a step of one is larger. bytes */
const MAX_ANSWER_BYTES = 256 * 1024

/** Version 0 says that the mechanism's bytes follow without Kafka's frames, as before Kafka 1.0. */
const handshakeApi = { ...saslHandshakeApi, minVersion: 0 }

interface SaslParts {
  readonly connection: BrokerConnection
  readonly versions: SpokenVersions
  readonly sasl: SaslSettings
  /** A custom mechanism logs to it. */
  readonly logger: Logger
  readonly progress: ConnectProgress
  readonly signal: AbortSignal
}

/**
 * Authenticates, for the first time or again (KIP-368). Nothing else may be in flight.
 *
 * @returns how long the session lasts; 0: without end. ms
 * @throws KafkaJSSASLAuthenticationError when the broker refuses; {@link CredentialsProviderError} when the user's token provider or
 *   `authenticationProvider` throws; KafkaJSConnectionError; {MalformedMessageError}
 */
export const authenticate = async (parts: SaslParts): Promise<number> => {
  const mechanism = mechanismOf(parts.sasl)
  const { connection, sasl, logger, progress } = parts
  progress.proceed('SASL', mechanism.name)
  const steps = new SaslSteps(parts, mechanism)
  await steps.handshake()
  if (mechanism.asksProvider) progress.proceed('credentials')
  try {
    await mechanism.authenticate({
      sasl,
      host: connection.address.host,
      port: connection.address.port,
      logger: logger.namespace(`SaslAuthenticator-${mechanism.name}`),
      step: bytes => steps.step(bytes),
    })
  } catch (error) {
    // A custom mechanism may have put an error of its own in place of what the broker or the connection said.
    throw steps.failure ?? ownError(error, mechanism, parts)
  }
  // A mechanism that did not wait for the answers of its steps.
  if (steps.failure !== undefined) throw steps.failure
  return steps.lifetimeMs
}

const ownError = (error: unknown, { name }: Mechanism, { connection }: SaslParts): Error => {
  if (connection.closedWith !== undefined) return connection.closedWith
  if (isError(error) && error.name === 'KafkaJSSASLAuthenticationError') return error
  return new CredentialsProviderError(name, addressText(connection.address), error)
}

/** The exchange of bytes that a mechanism runs over. */
class SaslSteps {
  lifetimeMs = 0
  failure: Error | undefined
  readonly #parts: SaslParts
  readonly #mechanism: Mechanism
  /** Undefined: without Kafka's frames. */
  readonly #version: number | undefined
  readonly #where: string

  constructor(parts: SaslParts, mechanism: Mechanism) {
    this.#parts = parts
    this.#mechanism = mechanism
    this.#where = addressText(parts.connection.address)
    this.#version = parts.versions.has(saslAuthenticateApi.key)
      ? negotiate(saslAuthenticateApi, parts.versions, this.#where)
      : undefined
  }

  async handshake(): Promise<void> {
    const { connection, versions, signal } = this.#parts
    const { name } = this.#mechanism
    const version = negotiate(handshakeApi, versions, this.#where, this.#version === undefined ? 0 : 1)
    const body = encodeBody(handshakeApi, handshakeApi.request, version, { mechanism: name })
    const options = { signal, maxResponseBytes: MAX_ANSWER_BYTES }
    const payload = await exchange(connection, handshakeApi, version, body, options)
    const answer = decodeResponse(handshakeApi, version, payload)
    if (answer.errorCode !== ERROR.NONE && answer.errorCode !== ERROR.UNSUPPORTED_SASL_MECHANISM) {
      const { type, message } = errorCode(answer.errorCode)
      throw saslRefusal(name, `SaslHandshake was answered with ${type}: ${message}`)
    }
    if (answer.errorCode !== ERROR.NONE || !answer.mechanisms.includes(name)) {
      throw saslError(
        `SASL ${name} mechanism is not supported by the server ${this.#where}, which takes ${printable(answer.mechanisms.join(', ') || 'none')}. Set sasl.mechanism.`,
      )
    }
  }

  async step(bytes: Buffer): Promise<Buffer> {
    if (this.failure !== undefined) throw this.failure
    try {
      this.#parts.progress.proceed('SASL')
      return await (this.#version === undefined
        ? this.#parts.connection.exchangeUnframed(bytes)
        : this.#framed(bytes, this.#version))
    } catch (error) {
      this.failure = isError(error) ? error : closedError(this.#parts.connection.address)
      throw this.failure
    } finally {
      // What follows is the mechanism's, until its next step.
      if (this.#mechanism.asksProvider) this.#parts.progress.proceed('credentials')
    }
  }

  async #framed(authBytes: Buffer, version: number): Promise<Buffer> {
    const { connection, signal } = this.#parts
    const body = encodeBody(saslAuthenticateApi, saslAuthenticateApi.request, version, { authBytes })
    const options = { signal, maxResponseBytes: MAX_ANSWER_BYTES }
    const payload = await exchange(connection, saslAuthenticateApi, version, body, options)
    const answer = decodeResponse(saslAuthenticateApi, version, payload)
    if (answer.errorCode !== ERROR.NONE) {
      const { type, message } = errorCode(answer.errorCode)
      throw saslRefusal(this.#mechanism.name, answer.errorMessage || `${type}: ${message}`)
    }
    this.lifetimeMs = Number(answer.sessionLifetimeMs)
    return answer.authBytes
  }
}
