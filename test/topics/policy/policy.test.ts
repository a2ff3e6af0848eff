import { describe, expect, it } from 'vitest'
import {
  compileTopicPolicy,
  DEFAULT_TOPIC_SETTINGS,
  topicPolicyProblems,
} from '../../../src/topics/policy/policy.js'

describe('the topic policy', () => {
  it('lets the broker create topics by default', () => {
    expect(compileTopicPolicy().policyFor('t')).toEqual(DEFAULT_TOPIC_SETTINGS)
    expect(DEFAULT_TOPIC_SETTINGS).toEqual({
      create: 'broker',
      waitForMs: 1000,
      partitions: -1,
      replicationFactor: -1,
      configEntries: [],
    })
  })

  it('takes the first rule that matches, over the settings around the rules', () => {
    const { policyFor } = compileTopicPolicy({
      create: 'admin',
      partitions: 3,
      rules: [
        { match: 'orders', partitions: 12 },
        { match: 'orders*', create: 'never', waitForMs: 0 },
        { match: /^audit\./, configEntries: [{ name: 'cleanup.policy', value: 'compact' }] },
        { match: topic => topic.endsWith('.dlq'), partitions: 1 },
        { match: '*', replicationFactor: 2 },
      ],
    })
    expect(policyFor('orders')).toMatchObject({ create: 'admin', partitions: 12 })
    expect(policyFor('orders.eu')).toMatchObject({ create: 'never', waitForMs: 0, partitions: 3 })
    expect(policyFor('audit.x')).toMatchObject({
      create: 'admin',
      partitions: 3,
      configEntries: [{ name: 'cleanup.policy', value: 'compact' }],
    })
    expect(policyFor('x.dlq')).toMatchObject({ partitions: 1, replicationFactor: -1 })
    expect(policyFor('else')).toMatchObject({ partitions: 3, replicationFactor: 2 })
  })

  it('says which rule it was whose function threw, and for which topic', () => {
    const thrown = new Error('oops')
    const match = () => {
      throw thrown
    }
    const { policyFor } = compileTopicPolicy({ rules: [{ match: 'other' }, { match }] })
    expect(policyFor('other')).toEqual(DEFAULT_TOPIC_SETTINGS)
    expect(() => policyFor('mine')).toThrow(
      expect.objectContaining({
        message: 'topics.rules[1].match threw for topic "mine": oops',
        topic: 'mine',
        retriable: false,
        cause: thrown,
      }),
    )
  })

  it('takes a string without * literally, and a dot in a glob for a dot', () => {
    const { policyFor } = compileTopicPolicy({
      rules: [
        { match: 'a.b', partitions: 2 },
        { match: 'c.*.d', partitions: 3 },
      ],
    })
    expect(policyFor('a.b').partitions).toBe(2)
    expect(policyFor('axb').partitions).toBe(-1)
    expect(policyFor('c.x.y.d').partitions).toBe(3)
    expect(policyFor('cxxxd').partitions).toBe(-1)
    expect(policyFor('prefix.c.x.d').partitions).toBe(-1)
  })

  it('matches a pattern with the flags g or y the same way each time', () => {
    const { policyFor } = compileTopicPolicy({ rules: [{ match: /orders/g, partitions: 2 }] })
    expect([1, 2, 3].map(() => policyFor('my.orders').partitions)).toEqual([2, 2, 2])
  })

  it('takes an option that is undefined for not given', () => {
    const settings = { waitForMs: undefined, rules: [{ match: 't', create: undefined }] }
    expect(topicPolicyProblems(settings)).toEqual([])
    expect(compileTopicPolicy(settings as never).policyFor('t')).toEqual(DEFAULT_TOPIC_SETTINGS)
  })

  it('lists every problem, each with the path of its option', () => {
    expect(
      topicPolicyProblems({
        create: 'auto',
        waitForMs: -1,
        partitions: 0,
        replicationFactor: 1.5,
        configEntries: [{ name: 'a' }],
        partition: 3,
        toString: 1,
        rules: [
          { match: '' },
          'orders',
          { match: 'a', partitions: Number.NaN, create: null },
          { create: 'never' },
        ],
      }),
    ).toEqual([
      "topics.create must be 'broker', 'admin' or 'never'",
      'topics.waitForMs must be a number of ms from 0',
      "topics.partitions must be -1 (the broker's default) or a whole number from 1 to 2147483647",
      "topics.replicationFactor must be -1 (the broker's default) or a whole number from 1 to 32767",
      'topics.configEntries must be an array of { name, value } strings',
      'topics has no option "partition"',
      'topics has no option "toString"',
      "topics.rules[0].match must be a topic's name, a glob with *, a RegExp or a function",
      'topics.rules[1] must be an object',
      "topics.rules[2].partitions must be -1 (the broker's default) or a whole number from 1 to 2147483647",
      "topics.rules[2].create must be 'broker', 'admin' or 'never'",
      "topics.rules[3].match must be a topic's name, a glob with *, a RegExp or a function",
    ])
    expect(topicPolicyProblems('broker')).toEqual(['topics must be an object'])
    expect(topicPolicyProblems({ rules: {} })).toEqual(['topics.rules must be an array'])
    expect(topicPolicyProblems({ create: 'never', waitForMs: 0, partitions: -1 })).toEqual([])
  })
})
