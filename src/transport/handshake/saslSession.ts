/** A broker that is asked to renew a session again within a second refuses: ILLEGAL_SASL_STATE (KIP-368). ms */
const LEAST_RENEWAL_MS = 1_100
/** Of a session's life, before it is renewed at the earliest. Java renews after 0.85 to 0.95 of it. */
const LEAST_SHARE = 0.75

/** `renew`: authenticate again on the same connection. `replace`: only a new connection helps. */
export type SessionState = 'valid' | 'renew' | 'replace'

/** How long the broker takes an authentication for good (KIP-368). Moments in ms on one clock that is not set back. */
export class SaslSession {
  readonly #renewAt: number
  readonly #replaceAt: number

  /**
   * kafkajs renews credentials `reauthenticationThreshold` (10 s by default) before a session ends: in a session no longer than
   * that, before every single request. Here the last quarter of a session is enough. A session that is over before the broker takes
   * another authentication is not renewed: its connection is replaced.
   *
   * @param lifetimeMs as the broker says it; 0 and less: without end
   * @param thresholdMs kafkajs's
   */
  constructor(authenticatedAt: number, lifetimeMs: number, thresholdMs: number) {
    if (lifetimeMs <= 0) {
      this.#renewAt = Infinity
      this.#replaceAt = Infinity
      return
    }
    const earliest = Math.max(LEAST_RENEWAL_MS, lifetimeMs * LEAST_SHARE)
    const canRenew = earliest < lifetimeMs
    this.#renewAt = canRenew ? authenticatedAt + Math.max(earliest, lifetimeMs - thresholdMs) : Infinity
    this.#replaceAt = authenticatedAt + (canRenew ? lifetimeMs : lifetimeMs * LEAST_SHARE)
  }

  state(now: number): SessionState {
    if (now >= this.#replaceAt) return 'replace'
    return now >= this.#renewAt ? 'renew' : 'valid'
  }
}
