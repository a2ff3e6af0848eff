/** TLS failures reach us as kafkajs's connection errors, with Node's or OpenSSL's text. */
const TLS_HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /self.signed certificate|unable to (?:verify|get)|UNABLE_TO_/i,
    'its certificate is not trusted: pass the authority that signed it with --tls-ca',
  ],
  [/certificate has expired|CERT_HAS_EXPIRED/i, 'its certificate has expired'],
  [/does not match certificate|ERR_TLS_CERT_ALTNAME/i, 'its certificate is for another host name'],
  [
    /wrong version number|packet length too long|before secure TLS connection/i,
    'it does not speak TLS on this port: leave --tls off',
  ],
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

/** What keeps a connection from being used, from the text of kafkajs's error or Node's, with the remedy where it tells one. */
export function connectionProblem(message: string, code = /\bE[A-Z_]{4,}\b/.exec(message)?.[0]): string {
  const tls = TLS_HINTS.find(([pattern]) => pattern.test(message))
  if (tls) return tls[1]
  if (code && NETWORK_CODES[code]) return NETWORK_CODES[code]
  if (/timeout|timed out/i.test(message)) return 'no answer'
  if (/ sent (?:a response|an answer) | could not be understood/.test(message))
    return 'what it sends is not Kafka (another service, or does it want TLS?)'
  if (/closed connection|connection closed/i.test(message))
    return 'it closed the connection (does it want TLS or SASL?)'
  return message
}
