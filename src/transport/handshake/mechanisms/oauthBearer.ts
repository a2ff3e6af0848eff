import { saslError, saslRefusal } from '../saslErrors.js'
import { type Mechanism, textOf } from './mechanism.js'

const NAME = 'OAUTHBEARER'
const SEPARATOR = '\x01'

interface Token {
  readonly value: string
  readonly extensions?: Readonly<Record<string, string>>
}

/** OAUTHBEARER (RFC 7628), with Kafka's extensions (KIP-342). `oauthBearerProvider` is asked at each authentication. */
export const oauthBearer: Mechanism = {
  name: NAME,
  asksProvider: true,
  async authenticate({ sasl, step }) {
    const { oauthBearerProvider } = sasl
    if (typeof oauthBearerProvider !== 'function')
      throw saslError(`SASL ${NAME}: sasl.oauthBearerProvider is missing`)
    const token = (await oauthBearerProvider()) as Token | null | undefined
    if (typeof token?.value !== 'string' || token.value === '')
      throw saslError(
        `SASL ${NAME}: sasl.oauthBearerProvider gave no token: it must resolve to { value: string }`,
      )
    const identity = textOf(sasl, 'authorizationIdentity')
    const header = `n,${identity === undefined ? '' : `a=${identity}`},`
    const extensions = Object.entries(token.extensions ?? {}).map(([key, value]) => `${key}=${value}`)
    const parts = [header, `auth=Bearer ${token.value}`, ...extensions, '', '']
    const answer = await step(Buffer.from(parts.join(SEPARATOR)))
    // A broker answers a token that it does not take with success and a reason (RFC 7628, 3.2.3), and cuts the connection at the next request.
    if (answer.length > 0)
      throw saslRefusal(NAME, `the broker does not take the token: ${answer.toString('utf8')}`)
  },
}
