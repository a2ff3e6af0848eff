import type { Logger } from 'kafkajs'
import { saslError } from '../saslErrors.js'
import type { Mechanism } from './mechanism.js'

/** What a custom mechanism gives `saslAuthenticate`: kafkajs's, whose bytes follow their size (int32). */
interface CustomStep {
  readonly request: { encode(): Promise<Buffer> | Buffer }
  readonly response?: {
    decode(rawData: Buffer): unknown
    parse(data: unknown): unknown
  }
}

type AuthenticationProvider = (args: {
  readonly host: string
  readonly port: number
  readonly logger: Logger
  saslAuthenticate(step: CustomStep): Promise<unknown>
}) => { authenticate(): Promise<void> }

/**
 * A user's `authenticationProvider`, as kafkajs runs it (kafkajs/src/broker/saslAuthenticator): what packages for Amazon MSK's IAM give.
 * kafkajs sends what `encode` gives as a whole, so its own size stands before the bytes.
 */
export const custom = (name: string, provider: AuthenticationProvider): Mechanism => ({
  name,
  asksProvider: true,
  async authenticate({ sasl, host, port, logger, step }) {
    // As kafkajs calls it: a method of `sasl`.
    const mechanism = provider.call(sasl, {
      host,
      port,
      logger,
      async saslAuthenticate({ request, response }) {
        const answer = await step(withoutSize(Buffer.from(await request.encode())))
        return response?.parse(await response.decode(withSize(answer)))
      },
    })
    if (typeof mechanism?.authenticate !== 'function')
      throw saslError(`SASL ${name}: sasl.authenticationProvider must return { authenticate() }`)
    await mechanism.authenticate()
  },
})

const SIZE_BYTES = 4

const withoutSize = (encoded: Buffer): Buffer =>
  encoded.length >= SIZE_BYTES && encoded.readInt32BE(0) === encoded.length - SIZE_BYTES
    ? encoded.subarray(SIZE_BYTES)
    : encoded

const withSize = (bytes: Buffer): Buffer => {
  const size = Buffer.alloc(SIZE_BYTES)
  size.writeInt32BE(bytes.length)
  return Buffer.concat([size, bytes])
}
