import '../support/production.js'
import type { PartitionerArgs } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readLogs } from '../../kafka/support/logs.js'
import { range } from '../../kafka/support/producing.js'
import { byNumberInKey, clientsOf } from '../support/clients.js'
import { batchesOf } from '../support/produceRequests.js'
import { createTopics } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

forEachBroker('src/producer/createTopicData.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer > createTopicData', () => {
    test('format data by topic and partition', async () => {
      const topic = uniqueTopic('data')
      await createTopics(broker, { topic, numPartitions: 4 })
      const tap = new Wiretap()
      const producer = await connected({}, { kafka: { socketFactory: tap.socketFactory } })
      const at = (partition: number, key: string) => ({ partition, key, value: null })
      await producer.send({ topic, messages: [at(1, '1'), at(3, '3'), at(2, '2'), at(3, '4')] })
      const [request, ...others] = tap.of('Produce')
      expect(others).toEqual([])
      const data = batchesOf(request!).map(({ partition, records }) => [
        partition,
        records.map(({ key }) => String(key)),
      ])
      expect(Object.fromEntries(data)).toEqual({ 1: ['1'], 2: ['2'], 3: ['3', '4'] })
    })
  })
})

forEachBroker('src/producer/groupMessagesPerPartition.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer > groupMessagesPerPartition', () => {
    test('group messages per partition', async () => {
      const topic = uniqueTopic('grouped')
      await createTopics(broker, { topic, numPartitions: 3 })
      const producer = await connected({ createPartitioner: byNumberInKey })
      await producer.send({ topic, messages: range(9, index => ({ key: `${index + 1}`, value: null })) })
      const stored = await readLogs(broker.bootstrap, [topic])
      const keysOf = (partition: number) =>
        stored.filter(record => record.partition === partition).map(({ key }) => String(key))
      expect([0, 1, 2].map(keysOf)).toEqual([
        ['3', '6', '9'],
        ['1', '4', '7'],
        ['2', '5', '8'],
      ])
    })

    test('returns empty when called with no partition metadata', async () => {
      const topic = uniqueTopic('unseen')
      const seen: number[] = []
      const createPartitioner = () => (args: PartitionerArgs) => {
        seen.push(args.partitionMetadata.length)
        return 0
      }
      const producer = await connected({ createPartitioner })
      await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] })
      // The topic is created meanwhile: nothing is given a partition while it has none.
      expect(seen).toEqual([1, 1])
    })
  })
})
