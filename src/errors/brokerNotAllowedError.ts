import kafkajs from 'kafkajs'
import { printable } from '../util/printable.js'

/**
 * A broker advertises an address that the option `allowBroker` refuses: nothing was sent there. Retried, since metadata may name another
 * address later.
 */
export class BrokerNotAllowedError extends kafkajs.KafkaJSError {
  static override readonly name: string = 'BrokerNotAllowedError'

  /** The address, as `host:port`. */
  readonly broker: string

  constructor(broker: string, cause?: unknown) {
    super(
      printable(
        `allowBroker ${cause === undefined ? 'refuses' : 'threw for'} the address ${broker}, which a broker advertises: the producer does not connect to it. Check the brokers' advertised.listeners, or allow the address.`,
      ),
      { retriable: true },
    )
    Object.defineProperty(this, 'name', {
      value: 'BrokerNotAllowedError',
      configurable: true,
      writable: true,
    })
    if (cause !== undefined)
      Object.defineProperty(this, 'cause', { value: cause, configurable: true, writable: true })
    this.broker = broker
  }
}
