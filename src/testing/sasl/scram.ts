/** SCRAM-SHA-256 and SCRAM-SHA-512 (RFC 5802, RFC 7677) as Kafka serves them: without channel binding. */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { invalidMessage, refused, type SaslExchange, type SaslStep } from './exchange.js'

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

const HASHES = { 'SCRAM-SHA-256': 'sha256', 'SCRAM-SHA-512': 'sha512' } as const
const KEY_BYTES = { sha256: 32, sha512: 64 } as const
/** Kafka's least number, which clients insist on. */
const ITERATIONS = 4096

/** What a broker keeps of a password: enough to check a proof, not to make one. */
export interface ScramCredential {
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

const hmac = (mechanism: ScramMechanism, key: Buffer, text: string): Buffer =>
  createHmac(HASHES[mechanism], key).update(text).digest()

const hashed = (mechanism: ScramMechanism, bytes: Buffer): Buffer =>
  createHash(HASHES[mechanism]).update(bytes).digest()

/** Takes some milliseconds: the point of the iterations. */
export const scramCredential = (
  mechanism: ScramMechanism,
  password: string,
  salt: Buffer,
): ScramCredential => {
  const hash = HASHES[mechanism]
  const salted = pbkdf2Sync(password, salt, ITERATIONS, KEY_BYTES[hash], hash)
  return {
    salt,
    storedKey: hashed(mechanism, hmac(mechanism, salted, 'Client Key')),
    serverKey: hmac(mechanism, salted, 'Server Key'),
  }
}

/** gs2 header (no channel binding, maybe an authorization id), then name, nonce and extensions. */
const FIRST =
  /^(?<gs2>[ny],(?:a=(?<authzid>[^,]*))?,)(?<bare>n=(?<name>[^,]+),r=(?<nonce>[!-+\--~]+)(?:,.*)?)$/su
const FINAL =
  /^(?<unproved>c=(?<binding>[^,]+),r=(?<nonce>[^,]+)(?:,.*)?),p=(?<proof>[A-Za-z0-9+/]+={0,2})$/su

/** A name has its commas and equal signs written otherwise; undefined where an equal sign stands for nothing. */
const unescapedName = (name: string): string | undefined =>
  /=(?!2C|3D)/.test(name) ? undefined : name.replaceAll('=2C', ',').replaceAll('=3D', '=')

const xor = (first: Buffer, second: Buffer): Buffer =>
  Buffer.from(first.map((byte, at) => byte ^ (second[at] ?? 0)))

/** A client's first message, answered. */
interface Begun {
  readonly user: string
  readonly gs2: string
  readonly nonce: string
  readonly firstBare: string
  readonly serverFirst: string
  readonly credential: ScramCredential
}

/**
 * @param credentialOf undefined for a user that is not known
 * @param serverNonce printable characters without a comma
 */
export const scramExchange = (
  mechanism: ScramMechanism,
  credentialOf: (user: string) => ScramCredential | undefined,
  serverNonce: string,
): SaslExchange => {
  let begun: Begun | undefined

  const first = (message: string): SaslStep => {
    const {
      gs2 = '',
      authzid,
      bare = '',
      name = '',
      nonce: clientNonce = '',
    } = FIRST.exec(message)?.groups ?? {}
    const user = unescapedName(name)
    if (!user) return invalidMessage(mechanism)
    const credential = credentialOf(user)
    if (!credential) return refused('Authentication failed: Invalid user credentials')
    if (authzid && authzid !== name) {
      return refused(
        'Authentication failed: Client requested an authorization id that is different from username',
      )
    }
    const nonce = `${clientNonce}${serverNonce}`
    const serverFirst = `r=${nonce},s=${credential.salt.toString('base64')},i=${ITERATIONS}`
    begun = { user, gs2, nonce, firstBare: bare, serverFirst, credential }
    return { kind: 'challenge', bytes: Buffer.from(serverFirst) }
  }

  const final = (
    message: string,
    { user, gs2, nonce, firstBare, serverFirst, credential }: Begun,
  ): SaslStep => {
    const { unproved = '', binding = '', nonce: given, proof = '' } = FINAL.exec(message)?.groups ?? {}
    if (given !== nonce || Buffer.from(binding, 'base64').toString() !== gs2) return invalidMessage(mechanism)
    const signed = `${firstBare},${serverFirst},${unproved}`
    const proved = Buffer.from(proof, 'base64')
    const signature = hmac(mechanism, credential.storedKey, signed)
    if (proved.length !== signature.length) return invalidMessage(mechanism)
    // The proof is the client's key under the signature: taken off again, its hash must be the one that is stored.
    const storedKey = hashed(mechanism, xor(proved, signature))
    if (!timingSafeEqual(storedKey, credential.storedKey)) return invalidMessage(mechanism)
    const verifier = hmac(mechanism, credential.serverKey, signed).toString('base64')
    return { kind: 'authenticated', principal: user, bytes: Buffer.from(`v=${verifier}`) }
  }

  return {
    step: message => {
      const text = message.toString('utf8')
      return begun ? final(text, begun) : first(text)
    },
  }
}
