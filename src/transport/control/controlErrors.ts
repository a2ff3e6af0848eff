import kafkajs from 'kafkajs'
import { CertificateError } from '../../errors/index.js'
import { isError } from '../../util/realms.js'
import { type Address, addressText } from '../address.js'
import { withCause } from '../connection/connectionErrors.js'

/** Not being let in is the same at every broker, a certificate is a broker's own. */
export const mayTryAnother = (error: unknown): boolean =>
  isError(error) && (!('retriable' in error) || error.retriable === true || error instanceof CertificateError)

// kafkajs's types do not know the argument that its constructor needs.
export const brokerNotFound = (nodeId: number): Error =>
  Reflect.construct(kafkajs.KafkaJSBrokerNotFound, [`Broker ${nodeId} is not in the newest metadata`])

/** @param trouble what the connection waits for, or what the broker is known to suffer from */
export const notReachedInTime = (
  apiName: string,
  timeoutMs: number,
  address: Address & { readonly nodeId?: number },
  trouble: Error | undefined,
): Error => {
  const broker = address.nodeId === undefined ? '' : `broker ${address.nodeId}, `
  const error = new kafkajs.KafkaJSRequestTimeoutError(
    `${apiName} could not be sent within ${timeoutMs} ms: no usable connection to ${broker}${addressText(address)} yet${trouble === undefined ? '' : `: ${trouble.message}`}`,
  )
  return trouble === undefined ? error : withCause(error, trouble)
}

export const noSeedsInTime = (apiName: string, timeoutMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    `${apiName} could not be sent within ${timeoutMs} ms: the function \`brokers\` gave no addresses`,
  )

export const noSeedsYet = (forMs: number): Error =>
  new kafkajs.KafkaJSConnectionError(
    `the function \`brokers\` has given no addresses for ${Math.round(forMs)} ms`,
  )

export const noAnswerYet = (apiName: string, address: Address, forMs: number): Error =>
  new kafkajs.KafkaJSConnectionError(
    `${addressText(address)} has not answered ${apiName} for ${Math.round(forMs)} ms`,
    { broker: addressText(address) },
  )

export const noAnswerInTime = (timeoutMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(`no answer within ${timeoutMs} ms`)
