import {
  BufferFullError,
  DeliveryTimeoutError,
  IdempotenceRefusedError,
  TopicCreationDisabledError,
} from 'kafkajs-resilient-producer'
import { describe, expect, it } from 'vitest'
import { inFlags } from '../../src/cli/flagWords.js'
import { OPTION_SCHEMA } from '../../src/producer/options/optionSchema.js'

describe('inFlags', () => {
  it.each([
    ["use topics: { create: 'admin' }, or", 'use --topic-creation admin, or'],
    [
      "allow topics: { create: 'broker' } or { create: 'admin' }.",
      'allow --topic-creation broker or --topic-creation admin.',
    ],
    ["By the topic policy (create: 'never')", 'By the topic policy (--topic-creation never)'],
    ['raise deliveryTimeoutMs.', 'raise --delivery-timeout-ms.'],
    [
      'within `metadataRetry.maxRetryTimeMs`',
      'within "metadataRetry.maxRetryTimeMs" under "producer" in --config',
    ],
    [
      'Set idempotent: false to silence this.',
      'Set "idempotent": false under "producer" in --config to silence this.',
    ],
    ['leave `idempotent` unset', 'leave "idempotent" under "producer" in --config unset'],
  ])('says "%s" in flags', (text, said) => expect(inFlags(text)).toBe(said))

  it.each(['The topic "a" has no retry.', 'an idempotent producer', 'auto.create.topics.enable is false'])(
    'leaves "%s" alone',
    text => expect(inFlags(text)).toBe(text),
  )

  it('leaves no option of the producer in the advice of its errors', () => {
    const errors = [
      new BufferFullError('t', { bufferBytes: 5, waitedMs: 1 }),
      new TopicCreationDisabledError('t', 0),
      new IdempotenceRefusedError({ type: 'X', code: 35, message: 'no', retriable: false }),
      new DeliveryTimeoutError('t', { attempts: 1, elapsedMs: 5 } as never),
    ]
    const names = OPTION_SCHEMA.map(each => each.name).filter(name => /[A-Z]/.test(name))
    for (const { message } of errors) {
      const left = inFlags(message).replaceAll(/"[\w.]+" under "producer"/g, '')
      expect(names.filter(name => left.includes(name))).toEqual([])
      expect(left).not.toMatch(/create: '/)
    }
  })
})
