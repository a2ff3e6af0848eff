import kafkajs from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { explain } from '../../src/cli/explain.js'

const { KafkaJSConnectionError, KafkaJSNumberOfRetriesExceeded, KafkaJSSASLAuthenticationError } = kafkajs

const connectionError = (message: string, code?: string) =>
  new KafkaJSConnectionError(message, { broker: 'db:9092', ...(code ? { code } : {}) })

describe('explain', () => {
  it.each([
    ['Connection error: connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED', 'connection refused'],
    ['Connection error: getaddrinfo ENOTFOUND db', 'ENOTFOUND', 'no such host'],
    ['Connection timeout', undefined, 'no answer'],
    ['Connection error: read ECONNRESET', undefined, 'it closed the connection'],
  ])('tells from "%s" what is wrong with the broker', (message, code, reason) => {
    expect(explain(connectionError(message, code))).toBe(`cannot reach the broker db:9092: ${reason}`)
  })

  it.each([
    ['Connection error: self-signed certificate in certificate chain', '--tls-ca'],
    ['Connection error: unable to verify the first certificate', '--tls-ca'],
    [
      'Connection error: write EPROTO 140:error:0A00010B:SSL routines:ssl3_get_record:wrong version number',
      '--tls off',
    ],
    ["Connection error: Hostname/IP does not match certificate's altnames", 'another host name'],
  ])('gives the remedy for "%s"', (message, remedy) => {
    expect(explain(connectionError(message))).toContain(remedy)
  })

  it('finds the cause behind the errors that carry it', () => {
    const refused = connectionError('connect ECONNREFUSED 127.0.0.1:1', 'ECONNREFUSED')
    const retried = new KafkaJSNumberOfRetriesExceeded(refused, { retryCount: 5, retryTime: 100 })
    expect(explain(new Error('no metadata', { cause: retried }))).toContain('connection refused')
    expect(explain(new AggregateError([refused], 'all failed'))).toContain('connection refused')
  })

  it('names refused credentials as such', () => {
    // Its declared constructor takes nothing.
    const error = Reflect.construct(KafkaJSSASLAuthenticationError, [
      'SASL PLAIN authentication failed: bad password',
    ])
    expect(explain(error)).toBe(
      'the broker refused the SASL credentials: SASL PLAIN authentication failed: bad password',
    )
  })

  it('leaves other messages as they are, in one line, without control characters', () => {
    expect(explain(new Error('a\nb\u001b[2J'))).toBe('a b\\u001b[2J')
    expect(explain('thrown text')).toBe('thrown text')
  })

  it('ends on a chain of causes that has no end', () => {
    const error = new Error('loop')
    error.cause = error
    expect(explain(error)).toBe('loop')
  })
})
