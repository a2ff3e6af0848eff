import { afterEach, beforeEach, expect, test } from 'vitest'
import { TOPIC, World } from '../../delivery/support/world.js'

let world: World
beforeEach(async () => {
  world = await World.start()
})
afterEach(() => world.end())

const message = (value: string, partition = 0) => ({ value, partition })
const apis = () => world.cluster.journal.entries.map(({ api }) => api)

test('a transaction: its partitions are added, then its records go, then it is committed', async () => {
  world.topic({ partitions: 2 })
  const producer = await world.connect({ transactionalId: 'tx' })
  world.cluster.journal.clear()
  const transaction = await producer.transaction()
  expect(transaction.isActive()).toBe(true)
  const sent = await Promise.all([
    transaction.send({ topic: TOPIC, messages: [message('a')] }),
    transaction.sendBatch({
      topicMessages: [{ topic: TOPIC, messages: [message('b', 1), message('c', 1)] }],
    }),
  ])
  expect(sent.flat().map(({ partition, baseOffset }) => ({ partition, baseOffset }))).toEqual([
    { partition: 0, baseOffset: '0' },
    { partition: 1, baseOffset: '0' },
  ])
  await transaction.commit()
  expect(transaction.isActive()).toBe(false)
  expect([world.stored(0), world.stored(1)]).toEqual([['a'], ['b', 'c']])
  expect(apis().filter(api => api !== 'Metadata' && api !== 'ApiVersions')).toEqual([
    'AddPartitionsToTxn',
    'Produce',
    'EndTxn',
  ])
})
