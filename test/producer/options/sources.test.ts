import { Partitioners, type ProducerConfig } from 'kafkajs'
import type { InvalidOptionsError, ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { describe, expect, test } from 'vitest'
import { resolveOptions } from '../../../src/producer/options/options.js'
import { type ClientSources, combineOptions } from '../../../src/producer/options/sources.js'

const combine = (
  config?: ProducerConfig,
  options?: ResilientProducerOptions,
  client: ClientSources = {},
): ResilientProducerOptions => combineOptions({ config, options, client })

test('nothing said is nothing given', () => {
  expect(resolveOptions(combine())).toEqual({ ...resolveOptions(), topics: expect.anything() })
})

describe('each field of a ProducerConfig', () => {
  const createPartitioner = Partitioners.DefaultPartitioner

  test.each<[ProducerConfig, ResilientProducerOptions]>([
    [{ createPartitioner }, { createPartitioner }],
    [{ metadataMaxAge: 5000 }, { metadataMaxAgeMs: 5000 }],
    [{ metadataMaxAge: Infinity }, { metadataMaxAgeMs: 2 ** 31 - 1 }],
    [{ idempotent: true }, { idempotent: true }],
    [{ idempotent: false }, { idempotent: false }],
    [{ maxInFlightRequests: 1 }, { maxInFlightPerBroker: 1 }],
    [{ transactionalId: 'one' }, { transactionalId: 'one' }],
    [{ transactionTimeout: 5000 }, { transactionTimeoutMs: 5000 }],
    [{ allowAutoTopicCreation: true }, { topics: { create: 'broker' } }],
    [{ allowAutoTopicCreation: false }, { topics: { create: 'never' } }],
    [{ retry: { retries: 2 } }, { retry: { retries: 2, minTimeoutMs: 300, maxTimeoutMs: 30_000 } }],
    [{ retry: { retries: 2 } }, { metadataRetry: { retries: Infinity, maxRetryTimeMs: 900 } }],
  ])('%o is %o', (config, options) => {
    expect(combine(config)).toMatchObject(options)
    expect(() => resolveOptions(combine(config))).not.toThrow()
  })

  test('counts as left out where it is undefined or null', () => {
    const names = [
      'createPartitioner',
      'metadataMaxAge',
      'idempotent',
      'maxInFlightRequests',
      'retry',
      'transactionalId',
      'transactionTimeout',
    ]
    for (const nothing of [undefined, null]) {
      const config = Object.fromEntries(
        [...names, 'allowAutoTopicCreation'].map(name => [name, nothing]),
      ) as ProducerConfig
      expect(combine(config)).toEqual(combine())
    }
  })
})

describe('what is said by several', () => {
  const client: ClientSources = {
    options: { maxInFlightPerBroker: 2, lingerMs: 2, batchBytes: 2, requestTimeoutMs: 2 },
    requestTimeout: 1,
  }

  test('goes by ProducerConfig, producer options, options of the Kafka, KafkaConfig', () => {
    const options = { maxInFlightPerBroker: 3, lingerMs: 3 }
    expect(combine({ maxInFlightRequests: 4 }, options, client)).toMatchObject({
      maxInFlightPerBroker: 4,
      lingerMs: 3,
      batchBytes: 2,
      requestTimeoutMs: 2,
    })
    expect(combine({}, {}, { requestTimeout: 1 })).toMatchObject({ requestTimeoutMs: 1 })
  })

  test('leaves the broker a time-out within kafkajs’s requestTimeout', () => {
    const ackTimeout = (client: ClientSources) => combine({}, {}, client).ackTimeoutMs
    expect(ackTimeout({})).toBeUndefined()
    expect([1, 5_000, 40_000].map(requestTimeout => ackTimeout({ requestTimeout }))).toEqual([
      1, 4_000, 30_000,
    ])
    expect(ackTimeout({ requestTimeout: 5_000, options: { ackTimeoutMs: 9 } })).toBe(9)
    expect(ackTimeout({ requestTimeout: 5_000, options: { requestTimeoutMs: 60_000 } })).toBe(30_000)
    expect(ackTimeout({ options: { requestTimeoutMs: 5_000 } })).toBe(4_000)
  })

  test('is not covered by an undefined option', () => {
    const nothing = { lingerMs: undefined, topics: { create: undefined, waitForMs: 5 } }
    const combined = combine({}, nothing, { options: { lingerMs: 2, topics: { create: 'admin' } } })
    expect(combined).toMatchObject({ lingerMs: 2, topics: { create: 'admin', waitForMs: 5 } })
  })

  test('is combined field by field where it has fields', () => {
    const combined = combine(
      { retry: { factor: 0.5 } },
      { retry: { retries: 3 }, metadataRetry: { retries: 3 }, topics: { waitForMs: 3 } },
      {
        options: {
          retry: { retries: 2, minTimeoutMs: 2 },
          metadataRetry: { factor: 2 },
          topics: { create: 'never' },
        },
        retry: { retries: 1, maxRetryTime: 1000 },
      },
    )
    expect(combined).toMatchObject({
      retry: { retries: 3, minTimeoutMs: 2, maxTimeoutMs: 1000, jitter: 0.5 },
      // What kafkajs's retries come to never covers what was said of it by its name.
      metadataRetry: { retries: 3, factor: 2, maxRetryTimeMs: 300 },
      topics: { create: 'never', waitForMs: 3 },
    })
  })
})

describe('the policy', () => {
  const environment: ClientSources = { create: () => 'never' }
  const createOf = (...sources: Parameters<typeof combine>): string =>
    resolveOptions(combine(...sources)).topics.policyFor('any').create

  test('is the environment’s where nobody else says it', () => {
    expect(createOf({}, {}, environment)).toBe('never')
    expect(createOf({}, { topics: { partitions: 3 } }, environment)).toBe('never')
    expect(createOf({}, { topics: { create: 'admin' } }, environment)).toBe('admin')
    expect(createOf({}, {}, { ...environment, options: { topics: { create: 'admin' } } })).toBe('admin')
    expect(createOf({ allowAutoTopicCreation: true }, {}, environment)).toBe('broker')
    expect(createOf()).toBe('broker')
  })

  test('is not asked of the environment in vain: what it says wrongly is nobody’s trouble then', () => {
    const broken: ClientSources = {
      create: () => {
        throw new Error('asked')
      },
    }
    expect(createOf({}, { topics: { create: 'admin' } }, broken)).toBe('admin')
    expect(createOf({ allowAutoTopicCreation: false }, {}, broken)).toBe('never')
    expect(() => createOf({}, {}, broken)).toThrow('asked')
  })

  test('of kafkajs’s flag is above its rules: no rule creates where it is false', () => {
    const topics = {
      waitForMs: 7,
      rules: [{ match: 'a', create: 'admin', partitions: 3, waitForMs: 9 }],
    } as const
    const { policyFor } = resolveOptions(combine({ allowAutoTopicCreation: false }, { topics })).topics
    expect(policyFor('a')).toMatchObject({ create: 'never', waitForMs: 9 })
    expect(policyFor('b')).toMatchObject({ create: 'never', waitForMs: 7 })
  })
})

test('what is wrong is found wherever it was said', () => {
  const problems = (client: object, options: unknown, config: object = {}): readonly string[] => {
    try {
      resolveOptions(combine(config, options as ResilientProducerOptions, client))
      return []
    } catch (error) {
      return (error as InvalidOptionsError).problems
    }
  }
  expect(problems({ options: { lingerMs: -1 } }, { acks: 5 })).toHaveLength(2)
  expect(problems({ options: [] }, {})).toEqual(['the options must be an object'])
  expect(problems({ options: { topics: 5 } }, { topics: { create: 'admin' } })).toEqual([])
  expect(problems({ retry: { retries: 5 } }, { metadataRetry: 5, retry: null, topics: [] })).toEqual([
    'metadataRetry must be an object',
    'retry must be an object',
    'topics must be an object, but is a object',
  ])
  expect(problems({}, { topics: { rules: [5] } }, { allowAutoTopicCreation: false })).toEqual([
    'topics.rules[0] must be an object',
  ])
})
