import type { KafkajsConnection } from './inside.js'

/** A broker that is asked to renew a session again within a second refuses: ILLEGAL_SASL_STATE (KIP-368). ms */
const LEAST_RENEWAL_MS = 1_100
/** Of a session's life, before it is renewed at the earliest. Java renews after 0.85 to 0.95 of it. */
const LEAST_SHARE = 0.75

/**
 * kafkajs renews credentials `reauthenticationThreshold` (10 s by default) before the session ends: in a session no longer
 * than that, before every single request. Here the last quarter of a session is enough.
 *
 * @param configuredMs kafkajs's threshold
 */
export const renewalThresholdMs = (lifetimeMs: number, configuredMs: number): number => {
  const earliest = Math.max(LEAST_RENEWAL_MS, lifetimeMs * LEAST_SHARE)
  // In a shorter session there is no good moment.
  return lifetimeMs <= earliest ? configuredMs : Math.min(configuredMs, lifetimeMs - earliest)
}

/** To be called after each authentication: a session's length may change. */
export const fitRenewal = (connection: KafkajsConnection, configuredMs: number): void => {
  const lifetimeMs = Number(connection.sessionLifetime)
  if (lifetimeMs > 0) connection.reauthenticationThreshold = renewalThresholdMs(lifetimeMs, configuredMs)
}
