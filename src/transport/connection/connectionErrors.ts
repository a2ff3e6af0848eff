import kafkajs from 'kafkajs'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { printable } from '../../util/printable.js'
import { isError } from '../../util/realms.js'
import { type Address, addressKey, addressText } from '../address.js'

/** @param cause its `code` becomes the error's */
export const connectionError = (message: string, address: Address, cause?: unknown): Error => {
  const code = isError(cause) && 'code' in cause ? String(cause.code) : undefined
  const broker = addressKey(address)
  const error = new kafkajs.KafkaJSConnectionError(
    printable(message),
    code === undefined ? { broker } : { broker, code },
  )
  return cause === undefined ? error : withCause(error, cause)
}

export const closedError = (address: Address): Error =>
  connectionError(`Closed connection to ${addressText(address)}`, address)

/** What came from the broker cannot be a response: nothing that follows on the connection can be trusted. */
export const misunderstood = (address: Address, problem: string, cause?: unknown): Error =>
  new MalformedMessageError(`The broker ${addressText(address)} sent ${problem}`, { cause })

/** Not all errors of kafkajs take a cause. */
export const withCause = <E extends Error>(error: E, cause: unknown): E =>
  Object.defineProperty(error, 'cause', {
    value: cause,
    enumerable: false,
    configurable: true,
    writable: true,
  })
