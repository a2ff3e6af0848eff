import { InvalidOptionsError } from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { creationOfEnvironment } from '../../../src/producer/options/environment.js'

test.each(['broker', 'admin', 'never'])('%s is taken', value => {
  expect(creationOfEnvironment({ RESILIENT_KAFKA_TOPICS: value })).toBe(value)
})

test.each([undefined, ''])('%o is no policy', value => {
  expect(creationOfEnvironment({ RESILIENT_KAFKA_TOPICS: value })).toBeUndefined()
})

test.each(['Never', 'off', ' never', 'true'])(
  '%o is an error that names the variable and what it takes',
  value => {
    const read = (): unknown => creationOfEnvironment({ RESILIENT_KAFKA_TOPICS: value })
    expect(read).toThrow(InvalidOptionsError)
    expect(read).toThrow(
      `the environment variable RESILIENT_KAFKA_TOPICS must be broker, admin, never or unset, but is ${JSON.stringify(value)}`,
    )
  },
)
