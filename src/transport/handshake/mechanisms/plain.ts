import { saslError } from '../saslErrors.js'
import { type Mechanism, textOf } from './mechanism.js'

const NUL = '\0'

/** PLAIN (RFC 4616): the password itself, which TLS has to protect. */
export const plain: Mechanism = {
  name: 'PLAIN',
  async authenticate({ sasl, step }) {
    const [username, password] = [textOf(sasl, 'username'), textOf(sasl, 'password')]
    if (username === undefined || password === undefined)
      throw saslError('SASL PLAIN: sasl.username or sasl.password is missing')
    await step(Buffer.from([textOf(sasl, 'authorizationIdentity') ?? '', username, password].join(NUL)))
  },
}
