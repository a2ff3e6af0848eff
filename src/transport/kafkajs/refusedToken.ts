import kafkajs from 'kafkajs'
import { printable } from '../../errors/printable.js'
import { decodeResponse } from '../../protocol/api.js'
import { saslAuthenticateApi } from '../../protocol/messages/saslAuthenticate.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type { KafkajsConnection, KafkajsRequestEntry } from './inside.js'

const OAUTHBEARER = 'OAUTHBEARER'
/** kafkajs's types leave its parameter off. */
const RefusedError = kafkajs.KafkaJSSASLAuthenticationError as unknown as new (message: string) => Error

/** What a broker says of a token in an answer that carries no error; undefined: nothing. */
const reasonIn = ({ apiKey, apiVersion }: KafkajsRequestEntry, payload: Buffer): string | undefined => {
  if (apiKey !== saslAuthenticateApi.key) return undefined
  try {
    const { errorCode, authBytes } = decodeResponse(saslAuthenticateApi, apiVersion, payload)
    return errorCode === 0 && authBytes.length > 0 ? authBytes.toString('utf8') : undefined
  } catch (error) {
    // kafkajs reads it too, and says what is wrong with it.
    if (error instanceof MalformedMessageError) return undefined
    throw error
  }
}

/**
 * A broker answers a token that it does not take with success and a reason (RFC 7628, 3.2.3), and cuts the connection at
 * the next request. kafkajs does not read the reason: every connection would be opened, and lost, in vain.
 *
 * @param refuse has to close the connection
 */
export const watchForRefusedToken = (connection: KafkajsConnection, refuse: (error: Error) => void): void => {
  if (connection.sasl?.mechanism?.toUpperCase() !== OAUTHBEARER) return
  const { requestQueue: queue } = connection
  const fulfill = queue.fulfillRequest.bind(queue)
  queue.fulfillRequest = response => {
    const request = queue.inflight.get(response.correlationId)
    const reason = request && reasonIn(request.entry, response.payload)
    if (reason === undefined) return fulfill(response)
    const text = `SASL ${OAUTHBEARER} authentication failed: the broker does not take the token: ${printable(reason)}`
    refuse(new RefusedError(text))
  }
}
