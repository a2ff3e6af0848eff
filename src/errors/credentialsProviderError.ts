import kafkajs from 'kafkajs'
import { printable } from '../util/printable.js'
import { endless, messageOf } from './bases.js'

/**
 * The `oauthBearerProvider` or `authenticationProvider` in `sasl` threw; `cause` is what it threw. It is called again with the next attempt to
 * connect, within the time limit of what waits for the connection. (KIP-255)
 */
export class CredentialsProviderError extends kafkajs.KafkaJSError {
  static override readonly name: string = 'CredentialsProviderError'

  /** The broker's address, as `host:port`. */
  readonly broker: string
  /** The SASL mechanism. */
  readonly mechanism: string

  constructor(mechanism: string, broker: string, cause: unknown) {
    super(
      printable(
        `The provider of the credentials for SASL ${mechanism} (\`sasl\`) threw: ${endless(messageOf(cause))}. Correct it: it is called again with the next attempt to connect.`,
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
