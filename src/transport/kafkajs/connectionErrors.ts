import kafkajs from 'kafkajs'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { type Address, addressKey } from './address.js'

export const connectionError = (message: string, address: Address, cause?: Error): Error => {
  const code = cause !== undefined && 'code' in cause ? String(cause.code) : undefined
  const broker = addressKey(address)
  return new kafkajs.KafkaJSConnectionError(message, code === undefined ? { broker } : { broker, code })
}

export const closedError = (address: Address): Error => connectionError('Closed connection', address)

/** What came from the broker cannot be a response: nothing that follows on the connection can be trusted. */
export const misunderstood = (address: Address, problem: string, cause?: unknown): Error =>
  new MalformedMessageError(`The broker ${addressKey(address)} sent ${problem}`, { cause })

/** kafkajs's parser throws bare RangeErrors at what it cannot read. */
export const typedError = (error: unknown, address: Address): Error =>
  error instanceof Error && ('retriable' in error || error instanceof MalformedMessageError)
    ? error
    : new MalformedMessageError(
        `The broker ${addressKey(address)} could not be understood: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      )
