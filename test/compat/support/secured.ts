import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { PASSWORD, startSecureBroker, USER } from '../../kafka/support/secureBroker.js'
import { cert, key } from '../../testing/support/certificate.js'

/** A broker that lets nobody in without credentials. */
export interface Secured {
  /** TLS, and no credentials. */
  readonly tls: string[]
  /** TLS with SASL: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER. */
  readonly sasl: string[]
  stop(): Promise<void>
}

/** Without an end. ms */
const SESSION_MS = 0

const subjectOf = (jwt: string): string | undefined =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sub

export const startEmbeddedSecured = async (): Promise<Secured> => {
  const tls = await EmbeddedKafka.start({ listeners: { tls: { key, cert } } })
  const sasl = await EmbeddedKafka.start({
    listeners: {
      tls: { key, cert },
      sasl: { users: { [USER]: PASSWORD }, principalOfToken: subjectOf },
    },
  })
  return {
    tls: [...tls.bootstrap],
    sasl: [...sasl.bootstrap],
    stop: async () => void (await Promise.all([tls.close(), sasl.close()])),
  }
}

export const startLocalSecured = async (version: string, owner: number): Promise<Secured> => {
  const { at, stop } = await startSecureBroker(version, { sessionLifetimeMs: SESSION_MS, owner })
  return { tls: [at.TLS], sasl: [at['SASL over TLS']], stop }
}
