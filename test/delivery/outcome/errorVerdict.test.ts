import { ERROR } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { mayBeWritten } from '../../../src/delivery/outcome/errorVerdict.js'

const byOffset: readonly number[] = [ERROR.NOT_LEADER_OR_FOLLOWER, ERROR.KAFKA_STORAGE_ERROR]
const always: readonly number[] = [
  ERROR.REQUEST_TIMED_OUT,
  ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ERROR.UNKNOWN_SERVER_ERROR,
]

describe.each(Object.entries(ERROR).filter(([, code]) => code !== ERROR.NONE))('%s', (_, code) => {
  test('says of itself whether the batch may be written', () => {
    expect(mayBeWritten(code, -1n)).toBe(always.includes(code))
  })

  test.each([0n, 7n])('beside base offset %i', offset => {
    expect(mayBeWritten(code, offset)).toBe(always.includes(code) || byOffset.includes(code))
  })
})
