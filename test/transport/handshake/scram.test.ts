import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Mechanism, MechanismContext } from '../../../src/transport/handshake/mechanisms/mechanism.js'
import { scramSha256, scramSha512 } from '../../../src/transport/handshake/mechanisms/scram.js'

const PASSWORD = 'pencil'
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')

interface Server {
  /** Of a client nonce. */
  readonly nonce?: (client: string) => string
  readonly iterations?: string
  readonly salt?: string
  readonly first?: string
  readonly final?: (signature: string) => string
}

/** The broker's side of RFC 5802, with what a test puts in its place. */
const serve = (digest: string, { nonce, iterations = '4096', salt, first, final }: Server = {}) => {
  let clientFirst = ''
  let serverFirst = ''
  const sent: string[] = []
  const bytes = digest === 'sha256' ? 32 : 64
  const hmac = (key: Buffer, data: string) => createHmac(digest, key).update(data).digest()
  const step: MechanismContext['step'] = async message => {
    const text = message.toString('utf8')
    sent.push(text)
    if (sent.length === 1) {
      clientFirst = text.slice('n,,'.length)
      const client = /r=(.*)$/.exec(clientFirst)![1]!
      const combined = nonce === undefined ? `${client}server` : nonce(client)
      serverFirst = first ?? `r=${combined},s=${salt ?? SALT.toString('base64')},i=${iterations}`
      return Buffer.from(serverFirst)
    }
    const [withoutProof, proof] = text.split(',p=') as [string, string]
    const salted = pbkdf2Sync(PASSWORD, SALT, Number(iterations), bytes, digest)
    const authMessage = `${clientFirst},${serverFirst},${withoutProof}`
    const storedKey = createHash(digest).update(hmac(salted, 'Client Key')).digest()
    const signature = hmac(storedKey, authMessage)
    const key = Buffer.from(Buffer.from(proof, 'base64').map((byte, at) => byte ^ signature[at]!))
    const isRight = createHash(digest).update(key).digest().equals(storedKey)
    if (!isRight) return Buffer.from('e=invalid-proof')
    const own = hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')
    return Buffer.from(final === undefined ? `v=${own}` : final(own))
  }
  return { sent, step }
}

const login = (
  mechanism: Mechanism,
  step: MechanismContext['step'],
  password = PASSWORD,
  username = 'user',
) =>
  mechanism.authenticate({
    sasl: { mechanism: mechanism.name, username, password },
    host: 'h',
    port: 1,
    logger: undefined as never,
    step,
  })

test.each([
  [scramSha256, 'sha256'],
  [scramSha512, 'sha512'],
] as const)('$name proves the password and has the broker prove it', async (mechanism, digest) => {
  const { sent, step } = serve(digest)
  await login(mechanism, step)
  expect(sent).toHaveLength(2)
  expect(sent.join()).not.toContain(PASSWORD)
})

test('a name with the characters that separate fields is escaped (RFC 5802, 5.1)', async () => {
  const { sent, step } = serve('sha256')
  await login(scramSha256, step, PASSWORD, 'a=b,c')
  expect(sent[0]).toMatch(/^n,,n=a=3Db=2Cc,r=/)
})

test.each<[string, Server, RegExp]>([
  ['2^31-1 iterations', { iterations: '2147483647' }, /asks for 2147483647 iterations/],
  ['one iteration more than is taken', { iterations: '100001' }, /from 4096 to 100000 are taken/],
  ['fewer than RFC 7677 allows', { iterations: '4095' }, /asks for 4095 iterations/],
  ['iterations that are no number', { iterations: '4096x' }, /asks for 4096x iterations/],
  ['a negative number of iterations', { iterations: '-4096' }, /asks for -4096 iterations/],
  ['a nonce that is not ours', { nonce: () => 'another' }, /nonce does not begin with ours/],
  ['our nonce alone', { nonce: client => client }, /nonce does not begin with ours/],
  ['no salt', { salt: '' }, /no salt/],
  ['an error at once', { first: 'e=other-error' }, /other-error/],
  ['nothing to be read', { first: '\0' }, /nonce does not begin with ours/],
  [
    'an error at the end',
    { final: () => 'e=channel-binding-not-supported' },
    /channel-binding-not-supported/,
  ],
  [
    'a signature of another password',
    { final: own => `v=${own.replace(/^./, c => (c === 'A' ? 'B' : 'A'))}` },
    /did not prove/,
  ],
  ['no signature', { final: () => 'v=' }, /did not prove/],
  ['a final message without one', { final: () => '' }, /did not prove/],
])('a broker with %s is refused', async (_, server, message) => {
  const { sent, step } = serve('sha256', server)
  await expect(login(scramSha256, step)).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    message: expect.stringMatching(message),
  })
  // No key is derived, and no proof given, to who has not earned it.
  if (server.final === undefined) expect(sent).toHaveLength(1)
})

test('a wrong password is a refusal that does not tell it', async () => {
  const { step } = serve('sha256')
  await expect(login(scramSha256, step, 'wrong-password')).rejects.toMatchObject({
    name: 'KafkaJSSASLAuthenticationError',
    message: expect.not.stringContaining('wrong-password'),
  })
})

test('what is missing is named', async () => {
  const { step } = serve('sha256')
  await expect(
    scramSha256.authenticate({
      sasl: { mechanism: 'scram-sha-256', username: 'user' },
      host: 'h',
      port: 1,
      logger: undefined as never,
      step,
    }),
  ).rejects.toMatchObject({ message: expect.stringContaining('sasl.password is missing') })
})
