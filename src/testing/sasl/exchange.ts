/** What a mechanism answers to one message of a client. */
export type SaslStep =
  /** The client has to go on; nobody is authenticated yet. */
  | { readonly kind: 'challenge'; readonly bytes: Buffer }
  | { readonly kind: 'authenticated'; readonly principal: string; readonly bytes: Buffer }
  /** Answered with SASL_AUTHENTICATION_FAILED, then the connection is cut. */
  | { readonly kind: 'refused'; readonly reason: string }

/** One authentication of one client, from its first message on. Messages that are no such thing are refused, never thrown at. */
export interface SaslExchange {
  step(message: Buffer): SaslStep
}

export const NOTHING = Buffer.alloc(0)

export const refused = (reason: string): SaslStep => ({ kind: 'refused', reason })

/** As a broker words what is no message of the mechanism. */
export const invalidMessage = (mechanism: string): SaslStep =>
  refused(
    `Authentication failed during authentication due to invalid credentials with SASL mechanism ${mechanism}`,
  )
