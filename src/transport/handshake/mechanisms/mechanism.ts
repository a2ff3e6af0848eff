import type { Logger } from 'kafkajs'
import type { SaslSettings } from '../../configuration.js'

export interface MechanismContext {
  /** Read at each authentication, so that changed credentials are taken. */
  readonly sasl: SaslSettings
  readonly host: string
  readonly port: number
  readonly logger: Logger
  /** Sends the mechanism's bytes and gives the broker's. Rejects when the broker refuses. */
  step(bytes: Buffer): Promise<Buffer>
}

/** One SASL mechanism (RFC 4422). */
export interface Mechanism {
  /** As SaslHandshake names it. */
  readonly name: string
  /** Users' code is run for the credentials. */
  readonly asksProvider?: boolean
  /** @throws what it was not given, as KafkaJSSASLAuthenticationError; what `step` rejects with; what a user's provider throws */
  authenticate(context: MechanismContext): Promise<void>
}

/** A text field of `sasl`; undefined where it is not set. */
export const textOf = (sasl: SaslSettings, field: string): string | undefined => {
  const value = sasl[field]
  return value === undefined || value === null ? undefined : String(value)
}
