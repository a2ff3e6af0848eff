import { printable } from './terminal/format.js'

const MAX_CAUSES = 10

/** An error as one line for a person at a terminal: what could not be done and, where the cause tells it, the remedy. */
export function explain(error: unknown): string {
  const chain = causes(error)
  for (const each of chain) {
    const known = explainKnown(each)
    if (known) return printable(known)
  }
  return printable(chain[0]?.message ?? String(error), 1000)
}

/** The error and what caused it, outermost first; of several at once, the first. */
function causes(error: unknown): Error[] {
  const chain: Error[] = []
  let at = error
  while (at instanceof Error && chain.length < MAX_CAUSES) {
    chain.push(at)
    at = at.cause ?? (at instanceof AggregateError ? at.errors[0] : undefined)
  }
  return chain
}

interface CodedError extends Error {
  readonly code?: unknown
  readonly broker?: unknown
}

/** TLS failures reach us as kafkajs's connection errors, with Node's or OpenSSL's text. */
const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /self.signed certificate|unable to (?:verify|get)|UNABLE_TO_/i,
    'its certificate is not trusted: pass the authority that signed it with --tls-ca',
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'its certificate has expired'],
  [/does not match certificate|ERR_TLS_CERT_ALTNAME/i, 'its certificate is for another host name'],
  [/wrong version number|packet length too long/i, 'it does not speak TLS on this port: leave --tls off'],
  [
    /certificate required|bad certificate|handshake failure/i,
    'it wants a client certificate: pass --tls-cert and --tls-key',
  ],
]

const NETWORK_CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name could not be looked up',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'it closed the connection',
}

function explainKnown(error: CodedError): string | undefined {
  switch (error.name) {
    case 'KafkaJSSASLAuthenticationError':
      return `the broker refused the SASL credentials: ${error.message}`
    case 'KafkaJSConnectionError':
    case 'KafkaJSConnectionClosedError': {
      const broker = typeof error.broker === 'string' ? error.broker : brokerIn(error.message)
      const where = broker ? `the broker ${broker}` : 'the broker'
      const tls = TLS_HINTS.find(([pattern]) => pattern.test(error.message))
      if (tls) return `cannot use ${where}: ${tls[1]}`
      return `cannot reach ${where}: ${networkReason(error)}`
    }
    default:
      return undefined
  }
}

const brokerIn = (message: string): string | undefined => /[\w.-]+:\d{2,5}\b/.exec(message)?.[0]

function networkReason(error: CodedError): string {
  const code = typeof error.code === 'string' ? error.code : /\bE[A-Z_]{4,}\b/.exec(error.message)?.[0]
  if (code && NETWORK_CODES[code]) return NETWORK_CODES[code]
  if (/timeout/i.test(error.message)) return 'no answer'
  if (error.name === 'KafkaJSConnectionClosedError')
    return 'it closed the connection (does it want TLS or SASL?)'
  return error.message
}
