import { EmbeddedKafka, ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../src/protocol/messages/describeConfigs.js'
import { incrementalAlterConfigsApi } from '../../src/protocol/messages/incrementalAlterConfigs.js'
import { RawClient } from './support/rawClient.js'
import { refusedTopics, spec, type TopicSpec } from './support/refusedTopics.js'

let cluster: EmbeddedKafka
let client: RawClient

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: { partitions: 3, replicationFactor: 2 } })
  client = await RawClient.connect(cluster.bootstrap[1]!)
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

const create = async (topics: TopicSpec[], validateOnly = false) => {
  const response = await client.call(createTopicsApi, 7, { topics, timeoutMs: 1000, validateOnly })
  return response!.topics
}

describe('CreateTopics', () => {
  test('makes topics with defaults, settings or assignments', async () => {
    const answers = await create([
      spec('default', { numPartitions: -1, replicationFactor: -1 }),
      spec('own', { numPartitions: 2, configs: [{ name: 'retention.ms', value: '5' }] }),
      spec('placed', {
        numPartitions: -1,
        replicationFactor: -1,
        assignments: [{ partitionIndex: 0, brokerIds: [1, 0] }],
      }),
    ])
    expect(answers.map(each => [each.errorCode, each.numPartitions, each.replicationFactor])).toEqual([
      [0, 3, 2],
      [0, 2, 1],
      [0, 1, 2],
    ])
    expect(answers[1]?.configs?.find(({ name }) => name === 'retention.ms')).toMatchObject({ value: '5' })
    expect(cluster.leaderOf('placed', 0)).toBe(1)
    expect(new Set(answers.map(({ topicId }) => topicId)).size).toBe(3)
  })

  test.each<[string, TopicSpec, number, string]>([
    ...refusedTopics,
    ['more than the rights', spec('secret'), ERROR.TOPIC_AUTHORIZATION_FAILED, 'Authorization failed.'],
  ])('refuses %s, and says so with validateOnly alike', async (_name, wrong, errorCode, errorMessage) => {
    cluster.createTopic('there')
    cluster.createTopic('a_b')
    cluster.deny('secret', ['create'])
    for (const validateOnly of [true, false]) {
      expect(await create([wrong], validateOnly)).toMatchObject([{ errorCode, errorMessage }])
    }
    expect(cluster.topics).toEqual(['there', 'a_b'])
  })

  test('with validateOnly makes nothing', async () => {
    expect(await create([spec('t', { numPartitions: 4 })], true)).toMatchObject([
      { errorCode: 0, numPartitions: 4 },
    ])
    expect(cluster.topics).toEqual([])
  })

  test('refuses a name that stands twice, and takes the rest', async () => {
    const answers = await create([spec('twice'), spec('once'), spec('twice')])
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([42, 0, 42])
    expect(cluster.topics).toEqual(['once'])
  })

  test('refuses more than 10,000 partitions at once', async () => {
    const answers = await create([spec('a', { numPartitions: 9_999 }), spec('b', { numPartitions: 2 })])
    expect(answers.map(({ errorCode }) => errorCode)).toEqual([44, 44])
  })

  test('is for the controller alone in the style of zk', async () => {
    const own = await EmbeddedKafka.start({ brokers: 2, autoCreate: { style: 'zk' } })
    const codes: number[] = []
    for (const address of own.bootstrap) {
      const each = await RawClient.connect(address)
      const response = await each.call(createTopicsApi, 4, { topics: [spec('t')], timeoutMs: 1 })
      codes.push(response!.topics[0]!.errorCode)
      await each.close()
    }
    expect(codes).toEqual([0, ERROR.NOT_CONTROLLER])
    await own.close()
  })
})

describe('DescribeConfigs', () => {
  const ask = async (
    resourceType: number,
    resourceName: string,
    configurationKeys: string[] | null = null,
  ) => {
    const response = await client.call(describeConfigsApi, 4, {
      resources: [{ resourceType, resourceName, configurationKeys }],
    })
    return response!.results[0]!
  }

  test('tells the answering broker’s own settings', async () => {
    const { errorCode, configs } = await ask(CONFIG_RESOURCE.broker, '1', ['auto.create.topics.enable'])
    expect(errorCode).toBe(0)
    expect(configs).toMatchObject([{ name: 'auto.create.topics.enable', value: 'true', readOnly: true }])
    expect((await ask(CONFIG_RESOURCE.broker, '1')).configs.length).toBeGreaterThan(10)
  })

  test('of another broker is an invalid request, of none an empty list', async () => {
    expect(await ask(CONFIG_RESOURCE.broker, '0')).toMatchObject({
      errorCode: ERROR.INVALID_REQUEST,
      errorMessage: 'Unexpected broker id, expected 1 or empty string, but received 0',
    })
    expect(await ask(CONFIG_RESOURCE.broker, '')).toMatchObject({ errorCode: 0, configs: [] })
  })

  test('tells a topic’s settings and where they come from', async () => {
    cluster.createTopic('t', { configs: { 'retention.ms': '5' } })
    const { configs } = await ask(CONFIG_RESOURCE.topic, 't', ['retention.ms', 'max.message.bytes'])
    expect(configs.map(({ name, value, configSource }) => [name, value, configSource])).toEqual([
      ['max.message.bytes', '1048588', 5],
      ['retention.ms', '5', 1],
    ])
    expect((await ask(CONFIG_RESOURCE.topic, 'none')).errorCode).toBe(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
  })

  test('sees what IncrementalAlterConfigs changes', async () => {
    cluster.createTopic('t')
    const alter = (name: string, configOperation: number, value: string | null) =>
      client.call(incrementalAlterConfigsApi, 1, {
        resources: [
          {
            resourceType: CONFIG_RESOURCE.topic,
            resourceName: 't',
            configs: [{ name, configOperation, value }],
          },
        ],
        validateOnly: false,
      })
    const policy = async () => (await ask(CONFIG_RESOURCE.topic, 't', ['cleanup.policy'])).configs[0]?.value
    await alter('cleanup.policy', 2, 'compact')
    expect(await policy()).toBe('delete,compact')
    await alter('cleanup.policy', 3, 'delete')
    expect(await policy()).toBe('compact')
    await alter('cleanup.policy', 1, null)
    expect(await policy()).toBe('delete')
    expect((await alter('no.such', 0, '1'))?.responses[0]?.errorCode).toBe(ERROR.INVALID_CONFIG)
  })
})

describe('ApiVersions', () => {
  test('lists what is offered, cut as told', async () => {
    const own = await EmbeddedKafka.start({ maxVersions: { Produce: 7, Metadata: 6, EndTxn: 'none' } })
    const each = await RawClient.connect(own.bootstrap[0]!)
    const { apiKeys } = (await each.call(apiVersionsApi, 3, {}))!
    const range = (key: number) => {
      const api = apiKeys.find(({ apiKey }) => apiKey === key)
      return api && [api.minVersion, api.maxVersion]
    }
    expect([range(0), range(3), range(26), range(18)]).toEqual([[0, 7], [0, 6], undefined, [0, 3]])
    await each.close()
    await own.close()
  })

  test('of a version that is not offered answers in version 0, and the connection stays', async () => {
    const id = client.request({ ...apiVersionsApi, maxVersion: 9 }, 9, {})
    const refusal = await client.answer(apiVersionsApi, 0, id)
    expect(refusal).toMatchObject({
      errorCode: ERROR.UNSUPPORTED_VERSION,
      apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 3 }],
    })
    expect((await client.call(apiVersionsApi, 0, {}))?.errorCode).toBe(0)
  })
})
