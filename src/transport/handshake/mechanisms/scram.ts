import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { saslError, saslRefusal } from '../saslErrors.js'
import { type Mechanism, textOf } from './mechanism.js'

const derive = promisify(pbkdf2)

/** RFC 7677's least. */
const MIN_ITERATIONS = 4_096
/**
 * Kafka itself makes credentials of at most 16,384 iterations. Each login runs them on one of libuv's few threads, which files and DNS
 * share: a broker that asks for 2^31 would stop the process.
 */
const MAX_ITERATIONS = 100_000
const NONCE_BYTES = 18
const GS2_HEADER = 'n,,'

interface Digest {
  readonly name: 'sha256' | 'sha512'
  readonly bytes: number
}

/** Of a message like `r=...,s=...,i=4096`. A value may hold `=`. */
const attributesOf = (message: string): ReadonlyMap<string, string> =>
  new Map(message.split(',').map(part => [part.slice(0, 1), part.slice(2)]))

const escapedName = (name: string): string => name.replaceAll('=', '=3D').replaceAll(',', '=2C')

const xor = (left: Buffer, right: Buffer): Buffer => Buffer.from(left.map((byte, at) => byte ^ right[at]!))

/** SCRAM (RFC 5802, RFC 7677): both sides prove that they know the password, and none tells it. */
const scram = (name: string, digest: Digest): Mechanism => {
  const hmac = (key: Buffer, data: string) => createHmac(digest.name, key).update(data).digest()
  const refusal = (reason: string) => saslRefusal(name, reason)

  const iterationsOf = (text: string | undefined): number => {
    const iterations = /^\d{1,10}$/.test(text ?? '') ? Number(text) : Number.NaN
    if (iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS) return iterations
    throw refusal(
      `the broker asks for ${text ?? 'no'} iterations; from ${MIN_ITERATIONS} to ${MAX_ITERATIONS} are taken. Set others for this user.`,
    )
  }

  return {
    name,
    async authenticate({ sasl, step }) {
      const [username, password] = [textOf(sasl, 'username'), textOf(sasl, 'password')]
      if (username === undefined || password === undefined)
        throw saslError(`SASL ${name}: sasl.username or sasl.password is missing`)

      const nonce = randomBytes(NONCE_BYTES).toString('base64url')
      const clientFirst = `n=${escapedName(username)},r=${nonce}`
      const serverFirst = (await step(Buffer.from(GS2_HEADER + clientFirst))).toString('utf8')
      const offered = attributesOf(serverFirst)
      const refused = offered.get('e')
      if (refused !== undefined) throw refusal(refused)
      const serverNonce = offered.get('r') ?? ''
      if (!serverNonce.startsWith(nonce) || serverNonce.length === nonce.length)
        throw refusal("the broker's nonce does not begin with ours")
      const iterations = iterationsOf(offered.get('i'))
      const salt = Buffer.from(offered.get('s') ?? '', 'base64')
      if (salt.length === 0) throw refusal('the broker sent no salt')

      const salted = await derive(password, salt, iterations, digest.bytes, digest.name)
      const clientKey = hmac(salted, 'Client Key')
      const storedKey = createHash(digest.name).update(clientKey).digest()
      const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${serverNonce}`
      const authMessage = `${clientFirst},${serverFirst},${withoutProof}`
      const proof = xor(clientKey, hmac(storedKey, authMessage)).toString('base64')
      const final = attributesOf((await step(Buffer.from(`${withoutProof},p=${proof}`))).toString('utf8'))
      const rejected = final.get('e')
      if (rejected !== undefined) throw refusal(rejected)
      const expected = hmac(hmac(salted, 'Server Key'), authMessage)
      const given = Buffer.from(final.get('v') ?? '', 'base64')
      if (given.length !== expected.length || !timingSafeEqual(given, expected))
        throw refusal('the broker did not prove that it knows the password')
    },
  }
}

export const scramSha256 = scram('SCRAM-SHA-256', { name: 'sha256', bytes: 32 })
export const scramSha512 = scram('SCRAM-SHA-512', { name: 'sha512', bytes: 64 })
