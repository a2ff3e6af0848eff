import { expect, test } from 'vitest'
import { renewalThresholdMs } from '../../src/transport/kafkajs/session.js'

const configuredMs = 10_000

test.each([
  ['a long session: as configured', 3_600_000, 10_000],
  ['four times as long as configured: as configured', 40_000, 10_000],
  ['twice as long: its last quarter', 20_000, 5_000],
  ['shorter than configured: its last quarter', 8_000, 2_000],
  ['so short that the broker would refuse an earlier renewal', 1_300, 200],
  ['too short for any renewal: as configured', 1_000, 10_000],
])('renews ahead of the end of %s', (_, lifetimeMs, thresholdMs) => {
  expect(renewalThresholdMs(lifetimeMs, configuredMs)).toBe(thresholdMs)
})
