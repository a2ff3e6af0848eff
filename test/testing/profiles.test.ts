import { EmbeddedKafka, ERROR, type ProfileName, profiles } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { createTopicsApi } from '../../src/protocol/messages/createTopics.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../src/protocol/messages/describeConfigs.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { served } from '../../src/testing/apis/registry.js'
import { batch } from './support/batches.js'
import { produce } from './support/produce.js'
import { RawClient } from './support/rawClient.js'
import { spec } from './support/refusedTopics.js'

let cluster: EmbeddedKafka
let client: RawClient
afterEach(async () => {
  await client.close()
  await cluster.close()
})

const start = async (profile: ProfileName) => {
  cluster = await EmbeddedKafka.start({ profile })
  client = await RawClient.connect(cluster.bootstrap[0]!)
}

const create = async (replicationFactor: number) => {
  const topics = [spec('made', { numPartitions: 1, replicationFactor })]
  return (await client.call(createTopicsApi, 5, { topics, timeoutMs: 1000, validateOnly: false }))!.topics[0]!
}

const describeBroker = async () => {
  const resources = [{ resourceType: CONFIG_RESOURCE.broker, resourceName: '0', configurationKeys: null }]
  return (await client.call(describeConfigsApi, 1, { resources }))!.results[0]!.errorCode
}

/** Whether a metadata request with the creation flag ever brings a topic up. */
const createsByItself = async (version: number) => {
  let code = -1
  for (let i = 0; i < 4; i++) {
    const answer = await client.call(metadataApi, version, {
      topics: [{ name: 'new' }],
      allowAutoTopicCreation: true,
    })
    code = answer!.topics[0]!.errorCode
  }
  return code === ERROR.NONE
}

test.each(Object.keys(profiles) as ProfileName[])('%s lists its APIs, no more', async profile => {
  await start(profile)
  const { apiKeys } = (await client.call(apiVersionsApi, 0, {}))!
  const limits: Record<string, number | 'none' | undefined> = profiles[profile].apis
  for (const [name, { api }] of Object.entries(served)) {
    const listed = apiKeys.find(({ apiKey }) => apiKey === api.key)
    const limit = limits[name]
    if (limit === 'none') expect(listed, name).toBeUndefined()
    else if (limit !== undefined) expect(listed?.maxVersion, name).toBe(Math.min(limit, api.maxVersion))
  }
})

describe('Azure Event Hubs', () => {
  test('takes gzip alone, and cuts a connection whose request is too large', async () => {
    await start('event-hubs')
    cluster.createTopic('t')
    expect((await produce(client, batch({ gzip: true }), { version: 7 })).errorCode).toBe(ERROR.NONE)
    const snappy = batch({ attributes: 2 })
    expect((await produce(client, snappy, { version: 7 })).errorCode).toBe(
      ERROR.UNSUPPORTED_FOR_MESSAGE_FORMAT,
    )
    const large = batch({ values: [Buffer.alloc(1_046_529)] })
    await expect(produce(client, large, { version: 7 })).rejects.toThrow()
    expect(cluster.journal.of('Produce')).toHaveLength(2)
  })
})

test.each([
  ['confluent-cloud', ERROR.POLICY_VIOLATION],
  ['msk-serverless', ERROR.NONE],
] as const)('%s creates nothing by itself and tells nobody its settings', async (profile, oneReplica) => {
  await start(profile)
  expect(await createsByItself(7)).toBe(false)
  expect(await describeBroker()).toBe(ERROR.CLUSTER_AUTHORIZATION_FAILED)
  expect((await create(1)).errorCode).toBe(oneReplica)
})

test('OCI Streaming creates topics by itself', async () => {
  await start('oci-streaming')
  expect(await createsByItself(6)).toBe(true)
})

test('Redpanda creates nothing by itself, and says so', async () => {
  await start('redpanda')
  expect(await createsByItself(7)).toBe(false)
  expect(await describeBroker()).toBe(ERROR.NONE)
})
