import { type Address, addressText } from '../address.js'
import { connectionError } from '../connection/connectionErrors.js'

/** A step on the way to a usable connection. `credentials`: a user's token provider, or `authenticationProvider`. */
export type ConnectStep = 'TCP' | 'TLS' | 'ApiVersions' | 'credentials' | 'SASL'

/** The option that bounds each step. */
const OPTIONS: Readonly<Record<ConnectStep, string>> = {
  TCP: 'connectionTimeout',
  TLS: 'connectionTimeout',
  ApiVersions: 'requestTimeout',
  credentials: 'authenticationTimeout',
  SASL: 'authenticationTimeout',
}

const missing = (step: ConnectStep, broker: string, mechanism: string): string => {
  switch (step) {
    case 'TCP':
    case 'TLS':
      return `no ${step} connection to ${broker}`
    case 'ApiVersions':
      return `no answer to ApiVersions from ${broker}`
    case 'credentials':
      return `no credentials for SASL ${mechanism} at ${broker} from the provider in \`sasl\``
    case 'SASL':
      return `no answer to the SASL ${mechanism} login from ${broker}`
  }
}

/** Where one attempt to connect, or to log in again, is. */
export class ConnectProgress {
  readonly address: Address
  #step: ConnectStep = 'TCP'
  #mechanism = ''
  #limitMs = 0
  #limitedSince = 0

  constructor(address: Address) {
    this.address = address
  }

  /** A step begins whose limit begins, too. ms */
  enter(step: ConnectStep, limitMs: number): void {
    this.#limitMs = limitMs
    this.#limitedSince = performance.now()
    this.proceed(step)
  }

  /** A step begins that shares the limit of the one before. */
  proceed(step: ConnectStep, mechanism = this.#mechanism): void {
    this.#step = step
    this.#mechanism = mechanism
  }

  /** The error that ends the step at its limit. */
  tooLate(): Error {
    return this.#error('Connection timeout: ', `within ${OPTIONS[this.#step]} (${this.#limitMs} ms)`)
  }

  /** What is waited for at this moment. */
  pending(): Error {
    const forMs = Math.round(performance.now() - this.#limitedSince)
    return this.#error('', `yet, after ${forMs} ms of ${OPTIONS[this.#step]} (${this.#limitMs} ms)`)
  }

  #error(what: string, howLong: string): Error {
    const step = this.#step
    const broker = addressText(this.address)
    const error = connectionError(`${what}${missing(step, broker, this.#mechanism)} ${howLong}`, this.address)
    return Object.defineProperty(error, 'step', { value: step, enumerable: true })
  }
}
