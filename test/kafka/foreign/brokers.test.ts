import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer, type ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { ERROR } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { range } from '../support/producing.js'
import { type Built, buildKfake, buildMockCluster, ForeignBroker, runProgram } from './programs.js'

/*
 * Brokers that nobody of this project wrote: franz-go's kfake and librdkafka's mock cluster.
 */
const [kfake, mockCluster] = await Promise.all([buildKfake(), buildMockCluster()])

let broker: ForeignBroker
const logs: string[] = []

const producing = async <T>(
  options: ResilientProducerOptions,
  use: (producer: ReturnType<typeof createResilientProducer>) => Promise<T>,
): Promise<T> => {
  const kafka = new Kafka({
    brokers: [...broker.bootstrap],
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ log }) =>
        logs.push(log.message),
  })
  const producer = createResilientProducer(kafka, options)
  await producer.connect()
  try {
    return await use(producer)
  } finally {
    await producer.disconnect()
  }
}

const describeForeign = (
  name: string,
  built: Built,
  start: (path: string) => Promise<ForeignBroker>,
  define: (path: string) => void,
): void => {
  const path = 'path' in built ? built.path : ''
  describe.skipIf(path === '')('path' in built ? name : `${name} [${built.reason}]`, () => {
    beforeEach(async () => {
      logs.length = 0
      broker = await start(path)
    })
    afterEach(() => broker.stop())
    define(path)
  })
}

/** What either can do. */
const common = (): void => {
  test('gets new topics and known ones, without a word', async () => {
    await producing({}, async producer => {
      const sent = range(50, index =>
        producer.send({ topic: `new-${index % 5}`, messages: [{ value: `${index}` }] }),
      )
      const results = await Promise.all(sent)
      expect(results.flat().map(({ errorCode }) => errorCode)).toEqual(sent.map(() => 0))
    })
    expect(logs).toEqual([])
  })

  test.each([
    ['NOT_LEADER_OR_FOLLOWER', ERROR.NOT_LEADER_OR_FOLLOWER],
    ['NOT_ENOUGH_REPLICAS', ERROR.NOT_ENOUGH_REPLICAS],
    ['REQUEST_TIMED_OUT', ERROR.REQUEST_TIMED_OUT],
    ['UNKNOWN_TOPIC_OR_PARTITION', ERROR.UNKNOWN_TOPIC_OR_PARTITION],
    ['INVALID_PRODUCER_ID_MAPPING', ERROR.INVALID_PRODUCER_ID_MAPPING],
    ['UNKNOWN_PRODUCER_ID', ERROR.UNKNOWN_PRODUCER_ID],
  ])('is sent to again after %s', async (_, code) => {
    await producing({}, async producer => {
      await producer.send({ topic: 'again', messages: [{ value: 'first', partition: 0 }] })
      await broker.ask(`fail 0 ${code} 2`)
      const [result] = await producer.send({ topic: 'again', messages: [{ value: 'second', partition: 0 }] })
      expect(result).toMatchObject({ errorCode: 0 })
    })
  })

  test('commits a transaction with offsets', async () => {
    await producing({ transactionalId: 'tx' }, async producer => {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'paid', messages: [{ value: 'a', partition: 0 }] })
      await transaction.sendOffsets({
        consumerGroupId: 'g',
        topics: [{ topic: 'paid', partitions: [{ partition: 0, offset: '1' }] }],
      })
      await transaction.commit()
    })
  })
}

describeForeign(
  'kfake',
  kfake,
  path => ForeignBroker.start(path, 'serve', '3'),
  path => {
    common()

    const read = (topic: string, count: number) =>
      runProgram(path, ['read', broker.bootstrap.join(','), topic, `${count}`])

    test('has every record once and in order, through errors and a leader that moves', async () => {
      const values = range(40, index => `${index}`)
      await producing({}, async producer => {
        await producer.send({ topic: 'ordered', messages: [{ value: 'first', partition: 0 }] })
        await broker.ask(`fail 0 ${ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND} 2`)
        const sent = values.map(value =>
          producer.send({ topic: 'ordered', messages: [{ value, partition: 0 }] }),
        )
        await broker.ask('move ordered 0 1')
        await Promise.all(sent)
      })
      expect(await read('ordered', 41)).toEqual(['first', ...values])
    })

    test('answers errors with base offset 0: a topic deleted and created again is written to', async () => {
      await producing({}, async producer => {
        for (const value of ['a', 'b', 'c']) {
          const [result] = await producer.send({ topic: 'again', messages: [{ value, partition: 0 }] })
          expect(result).toMatchObject({ errorCode: 0 })
          await broker.ask('delete again')
          await broker.ask('create again 3')
        }
      })
    })

    test('says of offsets of an unknown topic what it is, soon', async () => {
      await producing({ transactionalId: 'tx' }, async producer => {
        const transaction = await producer.transaction()
        const offsets = {
          consumerGroupId: 'g',
          topics: [{ topic: 'none', partitions: [{ partition: 0, offset: '1' }] }],
        }
        await expect(transaction.sendOffsets(offsets)).rejects.toMatchObject({
          name: 'OffsetsRefusedError',
          type: 'UNKNOWN_TOPIC_OR_PARTITION',
        })
        await transaction.abort()
      })
    })
  },
)

describeForeign('librdkafka’s mock cluster', mockCluster, path => ForeignBroker.start(path, '3'), common)
