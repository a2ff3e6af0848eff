import { expect, test } from 'vitest'
import { SaslSession } from '../../../src/transport/handshake/saslSession.js'

const THRESHOLD_MS = 10_000

test.each([
  ['a long session: as configured', 3_600_000, 3_590_000],
  ['four times as long as configured: as configured', 40_000, 30_000],
  ['twice as long: its last quarter', 20_000, 15_000],
  ['shorter than configured: its last quarter', 8_000, 6_000],
  ['so short that the broker would refuse an earlier renewal', 1_300, 1_100],
])('%s', (_, lifetimeMs, renewedAfterMs) => {
  const session = new SaslSession(500, lifetimeMs, THRESHOLD_MS)
  expect([renewedAfterMs - 1, renewedAfterMs, lifetimeMs - 1].map(ms => session.state(500 + ms))).toEqual([
    'valid',
    'renew',
    'renew',
  ])
  // Over: the broker closes the connection at the next request that is none of SASL.
  expect(session.state(500 + lifetimeMs)).toBe('replace')
})

test.each([1_100, 1_000, 500, 1])('a session of %d ms is not renewed but replaced', lifetimeMs => {
  const session = new SaslSession(0, lifetimeMs, THRESHOLD_MS)
  expect(session.state(0)).toBe('valid')
  expect(session.state(lifetimeMs * 0.75)).toBe('replace')
})

test.each([0, -1, -1_000])('a session of %d ms has no end', lifetimeMs => {
  expect(new SaslSession(0, lifetimeMs, THRESHOLD_MS).state(Number.MAX_SAFE_INTEGER)).toBe('valid')
})
