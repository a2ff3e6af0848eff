import { expect, test } from 'vitest'
import { isOlder } from '../kafka/cluster/version.js'

test.each([
  ['2.8.2', '3.3', true],
  ['3.9.1', '3.10', true],
  ['3.9.1', '4.0', true],
  ['3.10.0', '3.9', false],
  ['3.9.1', '3.9', false],
  ['4.2.0', '4.2.1', true],
  ['4.2.0', '0', false],
])('Kafka %s is older than %s: %s', (version, other, older) => {
  expect(isOlder(version, other)).toBe(older)
})
