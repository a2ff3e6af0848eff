/** What keeps a connection from being used, and what to do about it where that is known. */
export interface ConnectionProblem {
  readonly what: string
  readonly remedy?: string | undefined
}

/** TLS failures reach us as connection errors, with Node's or OpenSSL's text. */
const TLS_HINTS: readonly (readonly [RegExp, string, string?])[] = [
  [
    /self.signed certificate|unable to (?:verify|get)|UNABLE_TO_/i,
    'its certificate is not trusted',
    'pass the authority that signed it with --tls-ca',
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'its certificate has expired'],
  [
    /does not match certificate|ERR_TLS_CERT_ALTNAME/i,
    'its certificate is for another host name',
    'name the broker in --brokers as its certificate does',
  ],
  [
    /wrong version number|packet length too long|before secure TLS connection/i,
    'it does not speak TLS on this port',
    'leave --tls off',
  ],
  [
    /certificate required|bad certificate|handshake failure/i,
    'it wants a client certificate',
    'pass --tls-cert and --tls-key',
  ],
]

const SASL_HINTS: readonly (readonly [RegExp, string, string?])[] = [
  [
    /not valid given the current SASL state|ILLEGAL_SASL_STATE/i,
    'it takes no SASL login on this port',
    'leave --sasl-mechanism off, or name the port of its SASL listener in --brokers',
  ],
  [
    /mechanism is not supported|UNSUPPORTED_SASL_MECHANISM/i,
    'it does not offer this SASL mechanism',
    'choose another with --sasl-mechanism',
  ],
]

const NETWORK_CODES: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused'],
  ['ENOTFOUND', 'no such host'],
  ['EAI_AGAIN', 'its name could not be looked up'],
  ['EHOSTUNREACH', 'no route to the host'],
  ['ENETUNREACH', 'no route to the network'],
  ['ETIMEDOUT', 'no answer'],
  ['ECONNRESET', 'it closed the connection'],
])

const OWN_PORT = 'name the broker’s own port in --brokers (often 9092)'

/**
 * What services that are not Kafka begin with, as the first four bytes of an answer: taken for a size by whoever expects one. An HTTP
 * server's `HTTP` is a response of 1213486160 bytes.
 */
const GREETINGS: readonly (readonly [(bytes: Buffer) => boolean, ConnectionProblem])[] = [
  [bytes => bytes.toString('latin1') === 'HTTP', { what: 'an HTTP server listens there', remedy: OWN_PORT }],
  [bytes => bytes.toString('latin1') === 'SSH-', { what: 'an SSH server listens there', remedy: OWN_PORT }],
  // An alert of any version of TLS.
  [
    bytes => bytes[0] === 0x15 && bytes[1] === 0x03,
    { what: 'it speaks TLS on this port', remedy: 'pass --tls' },
  ],
]

const greetingIn = (message: string): ConnectionProblem | undefined => {
  const size = Number(/(-?\d{8,10}) bytes/.exec(message)?.[1])
  if (!Number.isInteger(size) || Math.abs(size) > 0xffff_ffff) return undefined
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(size | 0)
  return GREETINGS.find(([isIt]) => isIt(bytes))?.[1]
}

/** What keeps a connection from being used, from the text of an error of the client or of Node. */
export function findProblem(message: string, code = /\bE[A-Z_]{4,}\b/.exec(message)?.[0]): ConnectionProblem {
  const hint = [...TLS_HINTS, ...SASL_HINTS].find(([pattern]) => pattern.test(message))
  if (hint) return { what: hint[1], remedy: hint[2] }
  const network = code && NETWORK_CODES.get(code)
  if (network) return { what: network }
  if (/timeout|timed out/i.test(message)) return { what: 'no answer' }
  const greeting = greetingIn(message)
  if (greeting) return greeting
  if (/ sent (?:a response|an answer) | could not be understood/.test(message))
    return {
      what: 'what it sends is not Kafka',
      remedy: 'name the broker’s own port in --brokers, or pass --tls if it wants TLS',
    }
  if (/closed connection|connection closed/i.test(message))
    return {
      what: 'it closed the connection',
      remedy: 'pass --tls if it wants TLS, --sasl-mechanism if it wants a login',
    }
  return { what: message }
}

/** {@link findProblem} in one sentence. */
export function connectionProblem(message: string, code?: string): string {
  const { what, remedy } = findProblem(message, code)
  return remedy === undefined ? what : `${what}: ${remedy}`
}
