import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { alterUserScramCredentialsApi } from '../../chaos/cluster/apis.js'
import { askAny } from '../../chaos/cluster/ask.js'
import { cert, key } from '../../testing/support/certificate.js'
import { claimFolder } from '../cluster/leftovers.js'
import { startLocalCluster } from '../cluster/local.js'
import { freePorts } from '../cluster/ports.js'
import { isOlder } from '../cluster/version.js'

export const USER = 'alice'
export const PASSWORD = 'a password for the loopback address'

/** Kafka 2.8 takes no key in PEM without a passphrase, and none with one as Node writes it. */
export const hasTls = (version: string): boolean => !isOlder(version, '3.0')

/** How a client comes in. `mutual TLS`: it has to show a certificate. */
export type Entry = 'TLS' | 'mutual TLS' | 'SASL' | 'SASL over TLS'

export interface SecureBroker {
  /** Without any security, for what a test itself asks. */
  readonly bootstrap: readonly string[]
  /** Those over TLS only where {@link hasTls}. */
  readonly at: Readonly<Record<Entry, string>>
  stop(): Promise<void>
}

/** Listeners of Kafka may have names of one's own. */
const LISTENERS: readonly (readonly [entry: Entry, name: string, protocol: string])[] = [
  ['TLS', 'TLS', 'SSL'],
  ['mutual TLS', 'MUTUAL', 'SSL'],
  ['SASL', 'SASL', 'SASL_PLAINTEXT'],
  ['SASL over TLS', 'SASLTLS', 'SASL_SSL'],
]
const MODULES = 'org.apache.kafka.common.security'

const saslSettings = (listener: string, sessionLifetimeMs: number): Record<string, string> => {
  const prefix = `listener.name.${listener.toLowerCase()}`
  const scram = `${MODULES}.scram.ScramLoginModule required;`
  const jaas = {
    plain: `${MODULES}.plain.PlainLoginModule required user_${USER}="${PASSWORD}";`,
    'scram-sha-256': scram,
    'scram-sha-512': scram,
    oauthbearer: `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`,
  }
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: Object.keys(jaas).join(',').toUpperCase(),
    ...Object.fromEntries(
      Object.entries(jaas).flatMap(([mechanism, module]) => [
        [`${prefix}.${mechanism}.sasl.jaas.config`, module],
        [`${prefix}.${mechanism}.connections.max.reauth.ms`, String(sessionLifetimeMs)],
      ]),
    ),
  }
}

const tlsSettings = (listener: string, keystore: string, trusted: string): Record<string, string> => {
  const prefix = `listener.name.${listener.toLowerCase()}`
  return {
    [`${prefix}.ssl.keystore.type`]: 'PEM',
    [`${prefix}.ssl.keystore.location`]: keystore,
    [`${prefix}.ssl.truststore.type`]: 'PEM',
    [`${prefix}.ssl.truststore.location`]: trusted,
    [`${prefix}.ssl.client.auth`]: listener === 'MUTUAL' ? 'required' : 'none',
  }
}

const tlsSettingsOf = (
  listeners: readonly string[],
  keystore: string,
  trusted: string,
): Record<string, string> => Object.assign({}, ...listeners.map(name => tlsSettings(name, keystore, trusted)))

/** A broker with a listener for every entry, and one user for every mechanism of SASL. */
export async function startSecureBroker(
  version: string,
  { sessionLifetimeMs, owner }: { readonly sessionLifetimeMs: number; readonly owner: number },
): Promise<SecureBroker> {
  const folder = await claimFolder(owner)
  const [keystore, trusted] = [join(folder, 'broker.pem'), join(folder, 'trusted.pem')]
  await writeFile(keystore, `${key}\n${cert}\n`)
  await writeFile(trusted, `${cert}\n`)
  const offered = LISTENERS.filter(([entry]) => entry === 'SASL' || hasTls(version))
  const ports = await freePorts(offered.length)
  const addresses = offered.map(([, name], i) => `${name}://127.0.0.1:${ports[i]}`)
  const protocols = offered.map(([, name, protocol]) => `${name}:${protocol}`)
  const cluster = await startLocalCluster(version, {
    owner,
    config: { 'broker.session.timeout.ms': '9000' },
    settingsOf: (_id, { listeners = '' }) => ({
      listeners: [listeners, ...addresses].join(','),
      'advertised.listeners': [listeners.split(',')[0], ...addresses].join(','),
      'listener.security.protocol.map': ['PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT', ...protocols].join(','),
      'inter.broker.listener.name': 'PLAINTEXT',
      ...saslSettings('SASL', sessionLifetimeMs),
      ...(hasTls(version) && saslSettings('SASLTLS', sessionLifetimeMs)),
      ...(hasTls(version) && tlsSettingsOf(['TLS', 'MUTUAL', 'SASLTLS'], keystore, trusted)),
    }),
  })
  const stop = async () => {
    await cluster.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await addScramUser(cluster.bootstrap)
  } catch (error) {
    await stop()
    throw error
  }
  const at = Object.fromEntries(offered.map(([entry], i) => [entry, `127.0.0.1:${ports[i]}`]))
  return { bootstrap: cluster.bootstrap, at: at as Record<Entry, string>, stop }
}

/** Mechanism 1 is SCRAM-SHA-256, 2 is SCRAM-SHA-512. */
const addScramUser = async (bootstrap: readonly string[]): Promise<void> => {
  const iterations = 4096
  const upsertion = (mechanism: number, hash: string, bytes: number) => {
    const salt = randomBytes(16)
    const saltedPassword = pbkdf2Sync(PASSWORD, salt, iterations, bytes, hash)
    return { name: USER, mechanism, iterations, salt, saltedPassword }
  }
  for (const upserted of [upsertion(1, 'sha256', 32), upsertion(2, 'sha512', 64)]) {
    const { results } = await askAny(bootstrap, alterUserScramCredentialsApi, 0, {
      deletions: [],
      upsertions: [upserted],
    })
    const [result] = results
    if (result?.errorCode !== 0)
      throw new Error(`adding the user failed: ${result?.errorMessage ?? result?.errorCode}`)
  }
}

/** A token that a broker takes where nobody told it whom to trust: signed by no one. */
export const unsecuredToken = (subject: string, lifetimeS: number): string => {
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  return `${encoded({ alg: 'none' })}.${encoded({ sub: subject, iat: now, exp: now + lifetimeS })}.`
}
