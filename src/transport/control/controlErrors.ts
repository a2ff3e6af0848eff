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

/** @param trouble what the broker is known to suffer from */
export const notReachedInTime = (
  apiName: string,
  timeoutMs: number,
  address: Address & { readonly nodeId?: number },
  trouble: Error | undefined,
): Error => {
  const broker = address.nodeId === undefined ? '' : `broker ${address.nodeId}, `
  const error = new kafkajs.KafkaJSRequestTimeoutError(
    `${apiName} could not be sent within ${timeoutMs} ms: no usable connection to ${broker}${addressText(address)} yet`,
  )
  return trouble === undefined ? error : withCause(error, trouble)
}

export const noSeedsInTime = (apiName: string, timeoutMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(
    `${apiName} could not be sent within ${timeoutMs} ms: the function \`brokers\` gave no addresses`,
  )

export const noAnswerInTime = (timeoutMs: number): Error =>
  new kafkajs.KafkaJSRequestTimeoutError(`no answer within ${timeoutMs} ms`)
