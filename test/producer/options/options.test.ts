import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  InvalidOptionsError,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import { OPTION_SCHEMA } from '../../../src/producer/options/optionSchema.js'
import { resolveOptions } from '../../../src/producer/options/options.js'

const kafka = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: logLevel.NOTHING })

const problemsOf = (options: unknown): readonly string[] => {
  try {
    createResilientProducer(kafka, options as ResilientProducerOptions)
  } catch (error) {
    if (error instanceof InvalidOptionsError) return error.problems
    throw error
  }
  return []
}

describe('options', () => {
  test('have the defaults of the schema', () => {
    const settings = resolveOptions() as unknown as Record<string, Record<string, unknown>>
    for (const { name, fallback } of OPTION_SCHEMA.filter(each => each.name !== 'topics')) {
      const [group, field] = name.split('.') as [string, string?]
      expect(field === undefined ? settings[group] : settings[group]?.[field], name).toBe(fallback)
    }
    expect(resolveOptions().topics.policyFor('any')).toMatchObject({ create: 'broker', waitForMs: 1000 })
  })

  test('that are undefined count as left out, at every level', () => {
    const names = OPTION_SCHEMA.map(({ name }) => name.split('.')[0]!)
    expect(problemsOf(Object.fromEntries(names.map(name => [name, undefined])))).toEqual([])
    const nested = {
      retry: { retries: undefined, factor: undefined },
      metadataRetry: { onRetry: undefined, jitter: undefined },
      topics: { create: undefined, rules: [{ match: 'a', partitions: undefined }] },
      metrics: { prefix: undefined, registry: new Registry() },
    }
    expect(problemsOf(nested)).toEqual([])
  })

  test('that cannot work are named all at once, the nested ones and the unknown ones too', () => {
    const problems = problemsOf({
      acks: 2,
      lingerMs: -1,
      batchBytes: 1.5,
      compression: 'gzip',
      createPartitioner: {},
      lingerMS: 5,
      retry: { factor: 0, tries: 3 },
      metadataRetry: 5,
      topics: { create: 'somebody', rules: [{ match: 5 }] },
      metrics: { prefix: '9', labels: [] },
    })
    expect(problems).toEqual([
      'lingerMS is not an option',
      'retry.tries is not an option',
      'metadataRetry must be an object',
      'acks must be one of -1, 0, 1, but is 2',
      'lingerMs must be a whole number of ms from 0 to 2147483647, but is -1',
      'batchBytes must be a whole number of bytes from 1 to 2147483647, but is 1.5',
      'retry.factor must be a number of at least 1, but is 0',
      'compression must be one of 0, 1, 2, 3, 4, but is a string',
      'createPartitioner must be a function, but is a object',
      "topics.create must be 'broker', 'admin' or 'never'",
      "topics.rules[0].match must be a topic's name, a glob with *, a RegExp or a function",
      'metrics has no option "labels"',
      'metrics.prefix must begin a metric name (letters, digits, "_" and ":"), not "9"',
    ])
  })

  test.each([
    [{ idempotent: true, acks: 1 }, 'idempotent: true needs acks -1'],
    [
      { retry: { minTimeoutMs: 10, maxTimeoutMs: 5 } },
      'retry.minTimeoutMs must not be above retry.maxTimeoutMs',
    ],
    [
      { metadataRetry: { minTimeoutMs: 5000 } },
      'metadataRetry.minTimeoutMs must not be above metadataRetry.maxTimeoutMs',
    ],
    [{ topics: null }, 'topics must be an object, but is null'],
    [{ metrics: [] }, 'metrics must be an object, but is a object'],
    [null, 'the options must be an object'],
    [[], 'the options must be an object'],
  ])('%o do not go together, or are none: told once', (options, problem) => {
    expect(problemsOf(options)).toEqual([problem])
  })

  test('may hold a buffer beyond 2 GiB, and retries without end', () => {
    expect(problemsOf({ bufferBytes: 2 ** 33, retry: { retries: Infinity } })).toEqual([])
  })

  test('never show a text that was given for something else', () => {
    const error = expect(() =>
      createResilientProducer(kafka, { lingerMs: 'hunter2' } as unknown as ResilientProducerOptions),
    )
    error.toThrow('lingerMs must be a whole number of ms from 0 to 2147483647, but is a string')
  })
})
