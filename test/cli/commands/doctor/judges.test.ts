import { describe, expect, it } from 'vitest'
import type { Broker, Facts, TopicFacts, Visited } from '../../../../src/cli/commands/doctor/facts.js'
import { judgeAddresses } from '../../../../src/cli/commands/doctor/judges/addresses.js'
import { judgeCreation } from '../../../../src/cli/commands/doctor/judges/creation.js'
import { judgeReplicas } from '../../../../src/cli/commands/doctor/judges/replicas.js'
import { judgeRights } from '../../../../src/cli/commands/doctor/judges/rights.js'
import { judgeSizes } from '../../../../src/cli/commands/doctor/judges/sizes.js'
import { judgeVersions } from '../../../../src/cli/commands/doctor/judges/versions.js'
import { resolveOptions } from '../../../../src/producer/options/options.js'

const PRODUCE = 0
const METADATA = 3
const INIT_PRODUCER_ID = 22
const apis = (produce: number, metadata = 12) =>
  [
    [PRODUCE, produce],
    [METADATA, metadata],
    [INIT_PRODUCER_ID, 4],
  ].map(([apiKey, maxVersion]) => ({ apiKey: apiKey!, minVersion: 0, maxVersion: maxVersion! }))

const reached = (address: string, produce = 12): Visited => ({ address, clusterId: 'c', apis: apis(produce) })
const broker = (nodeId: number, visited: Visited, settings: Record<string, string> = {}): Broker => ({
  nodeId,
  visited,
  settings: {
    values: new Map(Object.entries(settings).map(([name, value]) => [name, { value, source: 5, type: 2 }])),
  },
})
const FINE = { code: 0, words: '' }

const facts = (changes: Partial<Facts> = {}): Facts => ({
  seeds: [reached('a:9092')],
  brokers: [broker(0, reached('a:9092'))],
  topic: undefined,
  producerId: FINE,
  clock: { aheadMs: 0, uncertaintyMs: 1 },
  settings: resolveOptions(),
  ...changes,
})
const topic = (changes: Partial<TopicFacts> = {}): TopicFacts => ({
  name: 't',
  answer: FINE,
  partitions: [{ index: 0, leader: 0, replicas: 3, inSync: 3 }],
  operations: undefined,
  settings: new Map([['min.insync.replicas', { value: '2', source: 1, type: 3 }]]),
  policy: resolveOptions().topics.policyFor('t'),
  creation: undefined,
  ...changes,
})

describe('addresses', () => {
  it('tell a broker that calls its own machine localhost', () => {
    const unreachable = { address: 'localhost:9092', unreachable: 'connection refused' }
    const [, finding] = judgeAddresses(facts({ brokers: [broker(1, unreachable)] }))
    expect(finding).toMatchObject({
      level: 'problem',
      says: expect.stringContaining('broker 1 advertises localhost:9092'),
      remedy: expect.stringContaining('this machine'),
    })
    const here = judgeAddresses(
      facts({ seeds: [reached('127.0.0.1:9092')], brokers: [broker(1, unreachable)] }),
    )
    expect(here[1]?.remedy).not.toContain('this machine')
  })
})

describe('versions', () => {
  it.each([
    [13, 'Kafka 4.1 or newer'],
    [11, 'Kafka 3.8 or 3.9'],
    [9, 'Kafka 2.8 to 3.6'],
    [4, 'Kafka 0.11'],
  ])('up to Produce %d are those of %s', (produce, release) => {
    const [finding] = judgeVersions(facts({ brokers: [broker(0, reached('a:9092', produce))] }))
    expect(finding).toEqual({ level: 'fine', says: `the brokers speak like ${release}` })
  })

  it('may differ for a time, and may be too old', () => {
    const brokers = [broker(0, reached('a:9092', 11)), broker(1, reached('b:9092', 12))]
    expect(judgeVersions(facts({ brokers }))).toMatchObject([
      { level: 'warning', says: expect.stringContaining('broker 0: Kafka 3.8 or 3.9; broker 1: Kafka 4.0') },
    ])
    const old = { address: 'b:9092', clusterId: null, apis: apis(2, 2) }
    expect(judgeVersions(facts({ brokers: [broker(1, old)] }))).toMatchObject([
      { level: 'problem', says: 'broker 1 is too old for this producer' },
    ])
  })
})

describe('creation', () => {
  it('tells partitions without a leader', () => {
    const partitions = [0, 1, 2].map(index => ({
      index,
      leader: index === 1 ? -1 : 0,
      replicas: 1,
      inSync: 1,
    }))
    expect(judgeCreation(facts({ topic: topic({ partitions }) }))).toMatchObject([
      { level: 'problem', says: 't has no leader for partition 1 of 3' },
    ])
  })

  it('does not take a refusal to validate for one to create by use', () => {
    const missing = topic({
      answer: { code: 3, words: 'unknown' },
      creation: { code: 29, words: 'not authorized' },
    })
    expect(judgeCreation(facts({ topic: missing }))).toMatchObject([{ level: 'unknown' }])
    const byAdmin = { ...missing, policy: { ...missing.policy, create: 'admin' as const } }
    expect(judgeCreation(facts({ topic: byAdmin }))).toMatchObject([
      { level: 'problem', remedy: 'allow CREATE on t, or on the cluster' },
    ])
  })
})

describe('replicas', () => {
  it('in sync are counted for each partition', () => {
    const partitions = [
      { index: 0, leader: 0, replicas: 3, inSync: 3 },
      { index: 1, leader: 0, replicas: 3, inSync: 1 },
    ]
    expect(judgeReplicas(facts({ topic: topic({ partitions }) }))).toMatchObject([
      { level: 'problem', says: 't needs 2 replicas in sync, and has fewer on partition 1 (1)' },
    ])
  })

  it('of new topics are those of the brokers’ defaults', () => {
    const defaults = (replicas: string, minimum: string) =>
      judgeReplicas(
        facts({
          brokers: [
            broker(0, reached('a:9092'), {
              'default.replication.factor': replicas,
              'min.insync.replicas': minimum,
            }),
          ],
        }),
      )
    expect(defaults('3', '2')).toMatchObject([
      { level: 'warning', says: 'default.replication.factor is 3, with 1 broker' },
    ])
    expect(defaults('1', '2')).toMatchObject([
      {
        level: 'problem',
        says: 'new topics have 1 replica by default and ask for 2 in sync: no record to them is ever acknowledged',
      },
    ])
    expect(defaults('1', '1')).toMatchObject([{ level: 'fine' }])
  })
})

describe('rights', () => {
  const WRITE = 1 << 4
  const DESCRIBE = 1 << 8
  it('to write are told by the topic', () => {
    expect(judgeRights(facts({ topic: topic({ operations: DESCRIBE | WRITE }) }))[0]).toMatchObject({
      level: 'fine',
    })
    expect(judgeRights(facts({ topic: topic({ operations: DESCRIBE }) }))[0]).toMatchObject({
      level: 'problem',
      says: 'this user may not write to t',
    })
  })
})

describe('sizes', () => {
  it('that the topic takes and the producer does not are told', () => {
    const settings = resolveOptions({ requestBytes: 1_000_000 })
    const large = new Map([['max.message.bytes', { value: '2000000', source: 1, type: 3 }]])
    expect(judgeSizes(facts({ settings, topic: topic({ settings: large }) }))).toMatchObject([
      {
        level: 'warning',
        says: 't takes records up to 2,000,000 bytes, and requestBytes is 1,000,000 bytes',
      },
    ])
  })
})
