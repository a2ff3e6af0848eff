/**
 * OAUTHBEARER (RFC 7628): one message with a token. A token that is not taken is not refused at once: the answer is a
 * success that carries `{"status":"invalid_token"}`, and only the client's next message gets the refusal.
 */
import { invalidMessage, NOTHING, type SaslExchange } from './exchange.js'

const SEPARATOR = '\u0001'
const GS2_HEADER = /^n,[^,]*,$/
const AUTH = /^auth=Bearer +(?<token>[\w.~+/-]+=*)$/i

const tokenIn = (message: string): string | undefined => {
  const [header = '', ...pairs] = message.split(SEPARATOR)
  if (!GS2_HEADER.test(header) || !message.endsWith(SEPARATOR + SEPARATOR)) return undefined
  return pairs.map(pair => AUTH.exec(pair)?.groups?.token).find(token => token !== undefined)
}

/** @param principalOf whose token it is; undefined: nobody's */
export const oauthBearerExchange = (principalOf: (token: string) => string | undefined): SaslExchange => {
  let wasRejected = false
  return {
    step(message) {
      const token = wasRejected ? undefined : tokenIn(message.toString('utf8'))
      if (token === undefined) return invalidMessage('OAUTHBEARER')
      const principal = principalOf(token)
      if (principal !== undefined) return { kind: 'authenticated', principal, bytes: NOTHING }
      wasRejected = true
      return { kind: 'challenge', bytes: Buffer.from('{"status":"invalid_token"}') }
    },
  }
}
