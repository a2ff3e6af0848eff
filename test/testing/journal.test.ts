import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { apiVersionsApi } from '../../src/protocol/messages/apiVersions.js'
import { metadataApi } from '../../src/protocol/messages/metadata.js'
import { Journal } from '../../src/testing/net/journal.js'
import { RawClient } from './support/rawClient.js'

let cluster: EmbeddedKafka
let client: RawClient

beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ autoCreate: { createdAfter: 0 } })
  client = await RawClient.connect(cluster.bootstrap[0]!)
})

afterEach(async () => {
  await client.close()
  await cluster.close()
})

test('has what each request named, its flag, and how it was answered', async () => {
  await client.call(metadataApi, 9, { topics: [{ name: 'a' }, { name: 'b!' }], allowAutoTopicCreation: true })
  await client.call(metadataApi, 4, { topics: [], allowAutoTopicCreation: false })
  await client.call(metadataApi, 4, { topics: null, allowAutoTopicCreation: false })
  await client.call(apiVersionsApi, 3, {})
  const seen = cluster.journal.entries.map(entry => [
    entry.api,
    entry.version,
    entry.topics,
    entry.allowAutoTopicCreation,
    entry.answered?.outcome,
    entry.answered?.errorCodes,
  ])
  expect(seen).toEqual([
    ['Metadata', 9, ['a', 'b!'], true, 'answered', [0, 17]],
    ['Metadata', 4, [], false, 'answered', []],
    ['Metadata', 4, null, false, 'answered', [0]],
    ['ApiVersions', 3, undefined, undefined, 'answered', [0]],
  ])
  expect(cluster.journal.entries[0]).toMatchObject({
    node: 0,
    clientId: 'raw',
    correlationId: 1,
    connectionId: 1,
  })
  expect(cluster.journal.of('Metadata')).toHaveLength(3)
  expect(cluster.journal.allTopicsRequests()).toEqual([cluster.journal.entries[2]])
  cluster.journal.clear()
  expect(cluster.journal.entries).toEqual([])
})

test('until() resolves at once, or with the request or answer that shows it', async () => {
  await cluster.journal.until(() => true)
  const arrived = cluster.journal.until(() => cluster.journal.of('ApiVersions').length === 2)
  const answered = cluster.journal.until(() => cluster.journal.entries[1]?.answered !== undefined)
  client.request(apiVersionsApi, 3, {})
  client.request(apiVersionsApi, 3, {})
  await Promise.all([arrived, answered])
  await expect(
    cluster.journal.until(() => {
      throw new Error('planted')
    }),
  ).rejects.toThrow('planted')
  const later = cluster.journal.until(() => {
    if (cluster.journal.of('Metadata').length > 0) throw new Error('later')
    return false
  })
  client.request(metadataApi, 9, { topics: [], allowAutoTopicCreation: false })
  await expect(later).rejects.toThrow('later')
})

test('keeps the newest entries where it has a limit', () => {
  const journal = new Journal(3)
  for (let correlationId = 0; correlationId < 20; correlationId++) {
    const entry = {
      at: 0,
      node: 0,
      clientId: null,
      api: 'Metadata',
      version: 0,
      connectionId: 1,
      body: {},
    } as const
    journal.arrived({ ...entry, correlationId })
    expect(journal.entries.at(-1)?.correlationId).toBe(correlationId)
    expect(journal.entries.length).toBeLessThan(6)
  }
  expect(journal.entries.length).toBeGreaterThanOrEqual(3)
})
