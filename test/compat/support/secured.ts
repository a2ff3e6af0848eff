import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { alterUserScramCredentialsApi } from '../../chaos/cluster/apis.js'
import { askAny } from '../../chaos/cluster/ask.js'
import { claimFolder } from '../../kafka/cluster/leftovers.js'
import { startLocalCluster } from '../../kafka/cluster/local.js'
import { freePorts } from '../../kafka/cluster/ports.js'
import { cert, key } from '../../testing/support/certificate.js'

export { cert } from '../../testing/support/certificate.js'

/** A broker that lets nobody in without credentials. */
export interface Secured {
  /** TLS, and no credentials. */
  readonly tls: string[]
  /** TLS with SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. */
  readonly sasl: string[]
  stop(): Promise<void>
}

export const user = { username: 'test', password: 'a password for the loopback address' }

/** A JSON web token without a signature, as Kafka's own validator for tests takes it. */
export const token = (subject: string): string => {
  const now = Math.floor(Date.now() / 1000)
  const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now, exp: now + 3600 })}.`
}

const subjectOf = (jwt: string): string | undefined =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sub

export const startEmbeddedSecured = async (): Promise<Secured> => {
  const tls = await EmbeddedKafka.start({ listeners: { tls: { key, cert } } })
  const sasl = await EmbeddedKafka.start({
    listeners: {
      tls: { key, cert },
      sasl: { users: { [user.username]: user.password }, principalOfToken: subjectOf },
    },
  })
  return {
    tls: [...tls.bootstrap],
    sasl: [...sasl.bootstrap],
    stop: async () => void (await Promise.all([tls.close(), sasl.close()])),
  }
}

export const startLocalSecured = async (version: string): Promise<Secured> => {
  const [tlsPort, saslPort] = await freePorts(2)
  const folder = await claimFolder(process.pid)
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const keystore = join(folder, 'broker.pem')
    await writeFile(keystore, `${key}\n${cert}\n`)
    const clients = `TLS://127.0.0.1:${tlsPort},SASL://127.0.0.1:${saslPort}`
    const cluster = await startLocalCluster(version, {
      settingsOf: (_, { listeners = '' }) => ({
        listeners: `${listeners},${clients}`,
        'advertised.listeners': `${listeners.split(',')[0]},${clients}`,
        'inter.broker.listener.name': 'PLAINTEXT',
        'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,SASL:SASL_SSL',
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': keystore,
        ...mechanisms,
      }),
    })
    await addScramUser(cluster.bootstrap)
    return {
      tls: [`127.0.0.1:${tlsPort}`],
      sasl: [`127.0.0.1:${saslPort}`],
      stop: async () => {
        await cluster.stop()
        await removeFolder()
      },
    }
  } catch (error) {
    await removeFolder()
    throw error
  }
}

const login = (mechanism: string, module: string, options = '') => ({
  [`listener.name.sasl.${mechanism}.sasl.jaas.config`]: `org.apache.kafka.common.security.${module} required${options};`,
})

const mechanisms = {
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
  ...login('plain', 'plain.PlainLoginModule', ` user_${user.username}="${user.password}"`),
  ...login('scram-sha-256', 'scram.ScramLoginModule'),
  ...login('scram-sha-512', 'scram.ScramLoginModule'),
  ...login('oauthbearer', 'oauthbearer.OAuthBearerLoginModule', ' unsecuredLoginStringClaim_sub="broker"'),
}

const ITERATIONS = 4096

const addScramUser = async (bootstrap: readonly string[]): Promise<void> => {
  const credentials = [
    { mechanism: 1, digest: 'sha256', bytes: 32 },
    { mechanism: 2, digest: 'sha512', bytes: 64 },
  ].map(({ mechanism, digest, bytes }) => {
    const salt = randomBytes(16)
    const saltedPassword = pbkdf2Sync(user.password, salt, ITERATIONS, bytes, digest)
    return { name: user.username, mechanism, iterations: ITERATIONS, salt, saltedPassword }
  })
  // A user twice in one request is refused.
  for (const each of credentials) {
    const { results } = await askAny(bootstrap, alterUserScramCredentialsApi, 0, {
      deletions: [],
      upsertions: [each],
    })
    const [result] = results
    if (result?.errorCode !== 0)
      throw new Error(`adding the user failed: ${result?.errorMessage ?? result?.errorCode}`)
  }
}
