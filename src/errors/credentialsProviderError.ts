import kafkajs from 'kafkajs'
import { printable } from '../util/printable.js'
import { messageOf } from './bases.js'

/**
 * The user's `oauthBearerProvider` or `authenticationProvider` threw; `cause` is what it threw. It is asked again with the next
 * attempt to connect, within the bounds of what waits for the connection.
 */
export class CredentialsProviderError extends kafkajs.KafkaJSError {
  static override readonly name: string = 'CredentialsProviderError'

  /** Of the broker, as `host:port`. */
  readonly broker: string
  /** Of SASL. */
  readonly mechanism: string

  constructor(mechanism: string, broker: string, cause: unknown) {
    super(
      printable(
        `The credentials for SASL ${mechanism} could not be had: the provider in \`sasl\` threw: ${messageOf(cause)}`,
      ),
      { retriable: true },
    )
    Object.defineProperty(this, 'name', {
      value: 'CredentialsProviderError',
      configurable: true,
      writable: true,
    })
    Object.defineProperty(this, 'cause', { value: cause, configurable: true, writable: true })
    this.broker = broker
    this.mechanism = mechanism
  }
}
