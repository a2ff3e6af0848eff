import type { RetryOptions } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { deliveryRetry, metadataBudget } from '../../../src/producer/options/kafkajsRetry.js'
import type { DeliveryRetryOptions } from '../../../src/producer/types.js'

const delivery = (
  producer?: RetryOptions,
  own?: DeliveryRetryOptions,
  client?: RetryOptions,
): DeliveryRetryOptions | undefined => deliveryRetry({ producer, own, client })

describe('the retries of a batch', () => {
  test('without kafkajs’s options are what our own say', () => {
    const own = { retries: 3, minTimeoutMs: 9, maxTimeoutMs: 5 }
    expect(delivery(undefined, own)).toBe(own)
    expect(delivery({}, own, { restartOnFailure: async () => true })).toBe(own)
    expect(delivery()).toBeUndefined()
  })

  test('take kafkajs’s multiplier as growth and its factor as jitter', () => {
    expect(
      delivery({ initialRetryTime: 10, maxRetryTime: 500, multiplier: 3, factor: 0.5, retries: 7 }),
    ).toEqual({ minTimeoutMs: 10, maxTimeoutMs: 500, factor: 3, jitter: 0.5, retries: 7 })
  })

  test('that are counted come with kafkajs’s waits, so that they last as long as there', () => {
    expect(delivery({ retries: 8 })).toEqual({ retries: 8, minTimeoutMs: 300, maxTimeoutMs: 30_000 })
    expect(delivery({ retries: 8, initialRetryTime: 100 })).toMatchObject({
      minTimeoutMs: 100,
      maxTimeoutMs: 30_000,
    })
    expect(delivery({ retries: 8, maxRetryTime: 200 })).toMatchObject({
      minTimeoutMs: 200,
      maxTimeoutMs: 200,
    })
    // A number that is our own keeps our own waits.
    expect(delivery({ factor: 0 }, { retries: 8 })).toMatchObject({ minTimeoutMs: 100, maxTimeoutMs: 1000 })
  })

  test('that are not counted keep our own waits where kafkajs’s do not say else', () => {
    expect(delivery({ factor: 0 })).toEqual({ jitter: 0, minTimeoutMs: 100, maxTimeoutMs: 1000 })
    expect(delivery({ retries: Infinity })).toMatchObject({ retries: Infinity, maxTimeoutMs: 1000 })
    expect(delivery({ retries: Number.MAX_SAFE_INTEGER })).toMatchObject({ retries: Infinity })
    expect(delivery({ initialRetryTime: 5000 })).toEqual({ minTimeoutMs: 5000, maxTimeoutMs: 5000 })
    expect(delivery({ maxRetryTime: 20 })).toEqual({ minTimeoutMs: 20, maxTimeoutMs: 20 })
  })

  test('go by the strongest that says so, field by field', () => {
    expect(
      delivery(
        { retries: 1 },
        { retries: 2, minTimeoutMs: 20 },
        { retries: 3, initialRetryTime: 30, maxRetryTime: 300 },
      ),
    ).toEqual({ retries: 1, minTimeoutMs: 20, maxTimeoutMs: 300 })
    expect(delivery(undefined, { retries: 2 }, { retries: 3, multiplier: 4 })).toMatchObject({
      retries: 2,
      factor: 4,
    })
    const withoutValue = { retries: undefined, multiplier: null } as unknown as RetryOptions
    expect(delivery(withoutValue, undefined, { retries: 3, multiplier: 4 })).toMatchObject({
      retries: 3,
      factor: 4,
    })
  })

  test('take the numbers that kafkajs takes', () => {
    expect(delivery({ retries: -1 })).toMatchObject({ retries: 0 })
    expect(delivery({ retries: 0 })).toMatchObject({ retries: 0 })
    expect(delivery({ multiplier: 0.5, factor: 7 })).toMatchObject({ factor: 1, jitter: 1 })
    expect(delivery({ initialRetryTime: 0.4, maxRetryTime: 1e12 })).toMatchObject({
      minTimeoutMs: 0,
      maxTimeoutMs: 2 ** 31 - 1,
    })
  })
})

describe('the budget of a topic that is not there yet', () => {
  test('is our own without kafkajs’s number of retries', () => {
    expect(metadataBudget(undefined, undefined)).toEqual({})
    expect(metadataBudget({ initialRetryTime: 5 }, { retries: Infinity })).toEqual({})
  })

  test.each([
    // 300 + 600 + 1200 + 2400 + 4800
    [{ retries: 5 }, 9300],
    [{ retries: 8, initialRetryTime: 100 }, 25_500],
    [{ retries: 3, initialRetryTime: 1000, maxRetryTime: 1500, multiplier: 2 }, 1000 + 1500 + 1500],
    // kafkajs holds all waits but the first to the longest one.
    [{ retries: 2, initialRetryTime: 1000, maxRetryTime: 10 }, 1010],
    [{ retries: 100_000 }, 2 ** 31 - 1],
    [{ retries: Number.MAX_SAFE_INTEGER }, 2 ** 31 - 1],
  ])('%o takes the time that kafkajs would take', (retry, maxRetryTimeMs) => {
    expect(metadataBudget(retry, undefined)).toEqual({ retries: Infinity, maxRetryTimeMs })
  })

  test('is one question where there is no retry', () => {
    expect(metadataBudget({ retries: 0 }, { retries: 5 })).toEqual({ retries: 0 })
  })

  test('goes by the producer’s, then by the client’s, field by field', () => {
    expect(metadataBudget({ retries: 2 }, { retries: 9, initialRetryTime: 10 })).toEqual({
      retries: Infinity,
      maxRetryTimeMs: 30,
    })
  })
})
