import kafkajs, { CompressionTypes } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { ERROR } from 'kafkajs-resilient-producer/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sequenced } from '../testing/support/batches.js'
import { produce } from '../testing/support/produce.js'
import { RawClient } from '../testing/support/rawClient.js'
import { describeEmbedded, describeKafka, type TestBroker, uniqueTopic } from './suite.js'
import { withAdmin } from './support/admin.js'
import { failureOf, producing, range } from './support/producing.js'

/** The values of a topic's committed records as kafkajs's consumer reads them, once there are so many. */
const readBack = async (broker: TestBroker, topic: string, count: number): Promise<string[]> => {
  const consumer = broker.helper().consumer({ groupId: uniqueTopic('group') })
  const values: string[] = []
  await consumer.connect()
  try {
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      if (count === 0) resolve()
      consumer
        .run({
          eachMessage: async ({ message }) => {
            values.push(String(message.value))
            if (values.length >= count) resolve()
          },
        })
        .catch(reject)
    })
  } finally {
    await consumer.disconnect()
  }
  return values
}

const numbers = range(20, index => `${index}`)

/** What a service does with any release of Kafka that is supported, from 0.11 on. */
const steps = (broker: TestBroker): void => {
  test('a new topic comes up at its first record, and every record arrives once and in order', async () => {
    const topic = uniqueTopic('new')
    await producing(broker, {}, producer =>
      Promise.all(numbers.map(value => producer.send({ topic, messages: [{ value, partition: 0 }] }))),
    )
    expect(await readBack(broker, topic, numbers.length)).toEqual(numbers)
  })

  test('many new topics come up at once', async () => {
    const topics = range(20, () => uniqueTopic('many'))
    await producing(broker, {}, async producer => {
      const results = await Promise.all(
        topics.map(topic => producer.send({ topic, messages: [{ value: 'a' }] })),
      )
      expect(results.flat().map(({ errorCode }) => errorCode)).toEqual(topics.map(() => 0))
    })
  })

  test('a topic is created by admin with counts of its own', async () => {
    const topic = uniqueTopic('admin')
    const topics = { create: 'admin', partitions: 3, replicationFactor: 1 } as const
    await producing(broker, { topics }, async producer => {
      await producer.send({ topic, messages: range(3, index => ({ value: `${index}`, partition: index })) })
    })
    const [partition] = (await withAdmin(broker, admin => admin.fetchTopicOffsets(topic))).filter(
      each => each.partition === 2,
    )
    expect(partition?.high).toBe('1')
  })

  test('a topic is created by admin with the broker’s counts, from Kafka 2.4 on', async () => {
    const topic = uniqueTopic('defaults')
    await producing(broker, { topics: { create: 'admin' } }, async producer => {
      const sent = producer.send({ topic, messages: [{ value: 'a' }] })
      if (broker.isOlderThan('2.4')) expect((await failureOf(sent)).message).toContain('Kafka before 2.4')
      else await sent
    })
  })

  test('acks 0 and 1 are taken beside acks -1', async () => {
    const topic = uniqueTopic('acks')
    await producing(broker, {}, async producer => {
      for (const acks of [-1, 1, 0]) await producer.send({ topic, acks, messages: [{ value: `${acks}` }] })
    })
    expect(await readBack(broker, topic, 3)).toEqual(['-1', '1', '0'])
  })

  test('keys, headers and timestamps arrive as they were given', async () => {
    const topic = uniqueTopic('fields')
    const message = { key: 'k', value: 'v', headers: { h: 'x' }, timestamp: '1700000000000' }
    await producing(broker, {}, producer => producer.send({ topic, messages: [message] }))
    const consumer = broker.helper().consumer({ groupId: uniqueTopic('group') })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const read = await new Promise<kafkajs.KafkaMessage>((resolve, reject) => {
      consumer.run({ eachMessage: async each => resolve(each.message) }).catch(reject)
    })
    await consumer.disconnect()
    expect({ ...read, key: String(read.key), headers: { h: String(read.headers?.h) } }).toMatchObject({
      key: 'k',
      timestamp: '1700000000000',
      headers: { h: 'x' },
    })
  })

  test('gzip is read back', async () => {
    const topic = uniqueTopic('gzip')
    await producing(broker, {}, producer =>
      producer.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: numbers.map(value => ({ value, partition: 0 })),
      }),
    )
    expect(await readBack(broker, topic, numbers.length)).toEqual(numbers)
  })

  describe('zstd', () => {
    const original = { ...kafkajs.CompressionCodecs }
    // One raw block in a frame of a single segment: the empty content that zstd allows any encoder to write.
    const codec = {
      compress: async ({ buffer: body }: { buffer: Buffer }) => {
        const header = Buffer.alloc(4 + 1 + 4 + 3)
        header.writeUInt32LE(0xfd2fb528, 0)
        header.writeUInt8(0b1010_0000, 4)
        header.writeUInt32LE(body.length, 5)
        header.writeUIntLE((body.length << 3) | 1, 9, 3)
        return Buffer.concat([header, body])
      },
      decompress: async (body: Buffer) => body.subarray(12),
    }
    beforeAll(() => {
      Object.assign(kafkajs.CompressionCodecs, { [CompressionTypes.ZSTD]: () => codec })
    })
    afterAll(() => {
      Object.assign(kafkajs.CompressionCodecs, original)
    })

    test('is taken from Kafka 2.1 on, and refused by name before', async () => {
      const topic = uniqueTopic('zstd')
      await producing(broker, {}, async producer => {
        const sent = producer.send({
          topic,
          compression: CompressionTypes.ZSTD,
          messages: [{ value: 'z', partition: 0 }],
        })
        if (broker.isOlderThan('2.1')) expect((await failureOf(sent)).message).toContain('Kafka 2.1')
        else expect(await sent).toMatchObject([{ errorCode: 0, baseOffset: '0' }])
      })
    })
  })

  test('a record that is too large fails alone', async () => {
    const topic = uniqueTopic('large')
    await producing(broker, {}, async producer => {
      await producer.send({ topic, messages: [{ value: 'first', partition: 0 }] })
      const large = producer.send({ topic, messages: [{ value: Buffer.alloc(1_100_000), partition: 0 }] })
      const small = producer.send({ topic, messages: [{ value: 'second', partition: 0 }] })
      expect((await failureOf(large)).name).toBe('RecordTooLargeError')
      await small
    })
    expect(await readBack(broker, topic, 2)).toEqual(['first', 'second'])
  })

  test('a transaction is seen when it is committed, and not when it is aborted', async () => {
    const topic = uniqueTopic('transactions')
    await producing(broker, { transactionalId: uniqueTopic('tx') }, async producer => {
      for (const [value, end] of [
        ['aborted', 'abort'],
        ['committed', 'commit'],
      ] as const) {
        const transaction = await producer.transaction()
        await transaction.send({ topic, messages: [{ value, partition: 0 }] })
        await transaction[end]()
      }
    })
    expect(await readBack(broker, topic, 1)).toEqual(['committed'])
  })

  test('offsets are committed with a transaction', async () => {
    const topic = uniqueTopic('offsets')
    const group = uniqueTopic('group')
    await producing(broker, { transactionalId: uniqueTopic('tx') }, async producer => {
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages: [{ value: 'a', partition: 0 }] })
      await transaction.sendOffsets({
        consumerGroupId: group,
        topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }],
      })
      await transaction.commit()
    })
    const offsetOf = async () => {
      const [found] = await withAdmin(broker, admin =>
        admin.fetchOffsets({ groupId: group, topics: [topic] }),
      )
      return found?.partitions[0]?.offset
    }
    while ((await offsetOf()) !== '1');
  })

  test('offsets of a topic that does not exist end soon, with that reason', async () => {
    await producing(broker, { transactionalId: uniqueTopic('tx') }, async producer => {
      const transaction = await producer.transaction()
      const error = await failureOf(
        transaction.sendOffsets({
          consumerGroupId: uniqueTopic('group'),
          topics: [{ topic: uniqueTopic('none'), partitions: [{ partition: 0, offset: '1' }] }],
        }),
      )
      expect(error).toMatchObject({ name: 'OffsetsRefusedError', type: 'UNKNOWN_TOPIC_OR_PARTITION' })
      await transaction.abort()
    })
  })

  test('a topic that was deleted and created again is found again', async () => {
    const topic = uniqueTopic('again')
    await producing(broker, {}, async producer => {
      await producer.send({ topic, messages: [{ value: 'old', partition: 0 }] })
      await withAdmin(broker, async admin => {
        await admin.deleteTopics({ topics: [topic] })
        // Deletion goes on behind the answer.
        const create = () =>
          admin
            .createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] })
            .catch(() => false)
        while (!(await create()));
      })
      for (const value of ['a', 'b']) await producer.send({ topic, messages: [{ value, partition: 0 }] })
    })
    expect(await readBack(broker, topic, 2)).toEqual(['a', 'b'])
  })

  test('min.insync.replicas above the replicas refuses acks -1 until Kafka 3.6', async () => {
    const topic = uniqueTopic('insync')
    await withAdmin(broker, admin =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic,
            numPartitions: 1,
            replicationFactor: 1,
            configEntries: [{ name: 'min.insync.replicas', value: '2' }],
          },
        ],
      }),
    )
    await producing(broker, { retry: { retries: 1 } }, async producer => {
      const sent = producer.send({ topic, messages: [{ value: 'a' }] })
      if (broker.isOlderThan('3.7')) expect((await failureOf(sent)).message).toContain('NOT_ENOUGH_REPLICAS')
      else await sent
    })
  })

  test('a first sequence above 0 of an unknown producer is refused until Kafka 2.4', async () => {
    const topic = uniqueTopic('sequence')
    await withAdmin(broker, admin =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [{ topic, numPartitions: 1, replicationFactor: 1 }],
      }),
    )
    const client = await RawClient.connect(broker.bootstrap[0]!)
    const { errorCode } = await produce(client, sequenced(5), { topic, version: 3 })
    await client.close()
    if (broker.isOlderThan('1.0')) expect(errorCode).toBe(ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER)
    else expect(errorCode).toBe(broker.isOlderThan('2.5') ? ERROR.UNKNOWN_PRODUCER_ID : ERROR.NONE)
  })

  test('an empty buffer is left by flush, and a disconnected producer connects again', async () => {
    const topic = uniqueTopic('flush')
    await producing(broker, {}, async producer => {
      for (const value of numbers) producer.enqueue(topic, { value, partition: 0 })
      await producer.flush()
      await producer.disconnect()
      await producer.connect()
      await producer.send({ topic, messages: [{ value: 'again', partition: 0 }] })
    })
    expect(await readBack(broker, topic, 21)).toEqual([...numbers, 'again'])
  })

  test('a consumer of ResilientKafka subscribes to a topic that is not there yet', async () => {
    const topic = uniqueTopic('subscribed')
    const kafka = new ResilientKafka({ brokers: broker.bootstrap, logLevel: kafkajs.logLevel.NOTHING })
    const consumer = kafka.consumer({ groupId: uniqueTopic('group') })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const read = new Promise<string>((resolve, reject) => {
      consumer.run({ eachMessage: async ({ message }) => resolve(String(message.value)) }).catch(reject)
    })
    await producing(broker, {}, producer => producer.send({ topic, messages: [{ value: 'a' }] }))
    expect(await read).toBe('a')
    await consumer.disconnect()
  })
}

describeKafka('every release', 'shared', steps)

// The embedded cluster behaves as the release that it plays.
for (const version of ['0.11', '1.1', '2.0', '2.4', '2.8', '3.0', '3.6', '3.9', '4.0', '4.4'] as const) {
  describeEmbedded(`every release: Kafka ${version}`, { version }, steps)
}
