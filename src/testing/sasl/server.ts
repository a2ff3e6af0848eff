import type { ListenerOptions, SaslMechanism } from '../model/options.js'
import type { Random } from '../random.js'
import type { SaslExchange } from './exchange.js'
import { oauthBearerExchange } from './oauthBearer.js'
import { plainExchange } from './plain.js'
import { type ScramCredential, type ScramMechanism, scramCredential, scramExchange } from './scram.js'

const OF_USERS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512']

/** What the brokers know of their users, and the mechanisms by which those can show who they are. */
export class SaslServer {
  /** As SaslHandshake lists them. */
  readonly mechanisms: readonly SaslMechanism[]
  /** 0: sessions have no end. ms */
  readonly sessionLifetimeMs: number
  private readonly users: Readonly<Record<string, string>>
  private readonly principalOfToken: (token: string) => string | undefined
  private readonly random: Random
  private readonly credentials = new Map<string, ScramCredential>()

  constructor(
    { users, principalOfToken, mechanisms, sessionLifetimeMs = 0 }: NonNullable<ListenerOptions['sasl']>,
    random: Random,
  ) {
    this.users = users ?? {}
    this.principalOfToken = principalOfToken ?? (() => undefined)
    this.random = random
    this.sessionLifetimeMs = sessionLifetimeMs
    this.mechanisms = mechanisms ?? [
      ...(users ? OF_USERS : []),
      ...(principalOfToken ? (['OAUTHBEARER'] as const) : []),
    ]
  }

  /** A client's authentication by this mechanism; undefined where it is not offered. */
  begin(name: string): SaslExchange | undefined {
    const mechanism = this.mechanisms.find(each => each === name)
    switch (mechanism) {
      case 'PLAIN':
        return plainExchange(user => this.passwordOf(user))
      case 'OAUTHBEARER':
        return oauthBearerExchange(this.principalOfToken)
      case undefined:
        return undefined
      default:
        return scramExchange(mechanism, user => this.credentialOf(mechanism, user), this.random.uuid())
    }
  }

  private passwordOf(user: string): string | undefined {
    return Object.hasOwn(this.users, user) ? this.users[user] : undefined
  }

  private credentialOf(mechanism: ScramMechanism, user: string): ScramCredential | undefined {
    const password = this.passwordOf(user)
    if (password === undefined) return undefined
    const key = `${mechanism} ${user}`
    const known = this.credentials.get(key)
    if (known) return known
    const made = scramCredential(mechanism, password, Buffer.from(this.random.uuid(), 'hex'))
    this.credentials.set(key, made)
    return made
  }
}
