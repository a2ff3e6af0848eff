/** SASL PLAIN (RFC 4616): one message with the name and the password. */
import { timingSafeEqual } from 'node:crypto'
import { NOTHING, refused, type SaslExchange } from './exchange.js'

const sameText = (first: string, second: string): boolean => {
  const [one, other] = [Buffer.from(first), Buffer.from(second)]
  return one.length === other.length && timingSafeEqual(one, other)
}

export const plainExchange = (passwordOf: (user: string) => string | undefined): SaslExchange => ({
  step(message) {
    const [, user = '', password = ''] = message.toString('utf8').split('\0')
    const expected = passwordOf(user)
    if (expected === undefined || !sameText(password, expected)) {
      return refused('Authentication failed: Invalid username or password')
    }
    return { kind: 'authenticated', principal: user, bytes: NOTHING }
  },
})
