import kafkajs from 'kafkajs'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import { isError } from '../../util/realms.js'

/**
 * Whether a request that ended without an answer may be asked again, of another broker. Refused credentials (until a first
 * connection was ready: the connector judges) and a kafkajs this was not written for are final. So is everything that is no error of the transport: a TypeError is a
 * bug of ours or of the caller's, never a broker's answer.
 */
export const isTransportFailure = (error: unknown): error is Error =>
  error instanceof MalformedMessageError ||
  (error instanceof kafkajs.KafkaJSError && error.retriable) ||
  isSystemError(error)

/** Any error that stands for the far side or the way to it, final or not: not a bug here. */
export const isRemoteFailure = (error: unknown): error is Error =>
  isTransportFailure(error) || error instanceof kafkajs.KafkaJSError

/** An error of Node's own: ECONNREFUSED, ENOTFOUND, ... */
const isSystemError = (error: unknown): error is Error =>
  isError(error) && 'syscall' in error && typeof error.syscall === 'string'

/** A closed set for labels and log lines: Kafka's error type where there is one, else the class. */
export const failureType = (error: Error): string =>
  error instanceof kafkajs.KafkaJSProtocolError && typeof error.type === 'string' ? error.type : error.name
