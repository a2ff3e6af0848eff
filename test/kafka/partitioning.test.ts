import kafkajs, { type Message, type PartitionerArgs } from 'kafkajs'
import { PartitionNotFoundError } from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'
import { hasJavaTools, runJavaTool } from './support/consumers.js'
import { readLogs } from './support/logs.js'
import { failureOf, producing, range } from './support/producing.js'

const partitionCount = 13
/** Of every length modulo 4, which murmur2 takes apart, and beyond ASCII. */
const textKeys = range(300, index => `${'k'.repeat(index % 9)}${index}${index % 5 === 0 ? 'ü☃' : ''}`)

const newTopic = async (broker: TestBroker) => {
  const topic = uniqueTopic('keyed')
  await createTopics(broker, { topic, numPartitions: partitionCount })
  return topic
}

/** Which partition each key is in. */
const placesOf = async (broker: TestBroker, topic: string) =>
  Object.fromEntries(
    (await readLogs(broker.bootstrap, [topic])).map(({ key, partition }) => [
      key?.toString('hex'),
      partition,
    ]),
  )

const java = await hasJavaTools()

forEachBroker('records with keys', { real: 'shared' }, broker => {
  test("go where kafkajs's default partitioner, which is that of Java, puts them", async () => {
    const topic = await newTopic(broker)
    const keys = [
      ...textKeys.map(each => Buffer.from(each)),
      ...range(100, index => Buffer.from(range(index % 17, at => (index * 31 + at * 97) % 256))),
    ]
    await producing(broker, {}, producer =>
      producer.send({ topic, messages: keys.map(key => ({ key, value: 'x' })) }),
    )
    const partition = kafkajs.Partitioners.DefaultPartitioner()
    const partitionMetadata = range(partitionCount, partitionId => ({
      partitionId,
      leader: 0,
      partitionErrorCode: 0,
      replicas: [0],
      isr: [0],
    }))
    const expected = Object.fromEntries(
      keys.map(key => [
        key.toString('hex'),
        partition({ topic, partitionMetadata, message: { key, value: 'x' } } as PartitionerArgs),
      ]),
    )
    expect(await placesOf(broker, topic)).toEqual(expected)
    expect(new Set(Object.values(expected)).size).toBe(partitionCount)
  })

  test.skipIf(!java || broker.kind === 'embedded')(
    "go where Java's own console producer puts them",
    async () => {
      const [ours, theirs] = [await newTopic(broker), await newTopic(broker)]
      await producing(broker, {}, producer =>
        producer.send({ topic: ours, messages: textKeys.map(key => ({ key, value: 'x' })) }),
      )
      await runJavaTool(
        'console-producer',
        [
          ...['--bootstrap-server', broker.bootstrap.join(','), '--topic', theirs],
          ...['--property', 'parse.key=true', '--property', 'key.separator=:'],
        ],
        textKeys.map(key => `${key}:x\n`).join(''),
      )
      const places = await placesOf(broker, theirs)
      expect(Object.keys(places)).toHaveLength(new Set(textKeys).size)
      expect(await placesOf(broker, ours)).toEqual(places)
    },
    130_000,
  )

  test('stay in the order they were sent, key by key, whatever the calls', async () => {
    const topic = await newTopic(broker)
    const messages = range(2_000, index => ({ key: textKeys[index % 50]!, value: String(index) }))
    await producing(broker, {}, async producer => {
      const sends: Promise<unknown>[] = []
      for (let at = 0; at < messages.length; ) {
        const size = 1 + ((at * 7) % 40)
        sends.push(producer.send({ topic, messages: messages.slice(at, at + size) }))
        at += size
      }
      await Promise.all(sends)
    })
    const stored = await readLogs(broker.bootstrap, [topic])
    expect(stored).toHaveLength(messages.length)
    for (const key of textKeys.slice(0, 50)) {
      const values = stored.filter(each => each.key?.toString() === key).map(({ value }) => Number(value))
      expect(values).toEqual(values.toSorted((a, b) => a - b))
    }
  })
})

forEachBroker('records without keys', { real: 'shared' }, broker => {
  test('stick to a partition for a batch, and use many in the end', async () => {
    const topic = await newTopic(broker)
    const count = 3_000
    const requests = await producing(broker, {}, async (producer, requests) => {
      const value = 'x'.repeat(1_000)
      await Promise.all(range(count, () => producer.send({ topic, messages: [{ value }] })))
      return requests.count('Produce')
    })
    const stored = await readLogs(broker.bootstrap, [topic])
    expect(stored).toHaveLength(count)
    // 3 MB at 64 KiB or more a turn: some 20 to 45 turns over 13 partitions.
    expect(new Set(stored.map(({ partition }) => partition)).size).toBeGreaterThan(partitionCount / 2)
    expect(requests).toBeLessThan(count / 20)
  })

  test('and with a partition of their own go there, or are refused when there is none', async () => {
    const topic = await newTopic(broker)
    await producing(broker, {}, async producer => {
      const messages = range(partitionCount, partition => ({ value: `${partition}`, partition }))
      const metadata = await producer.send({ topic, messages })
      expect(metadata.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual(
        range(partitionCount, index => index),
      )
      const error = await failureOf(
        producer.send({ topic, messages: [{ value: 'x', partition: partitionCount }] }),
      )
      expect(error).toBeInstanceOf(PartitionNotFoundError)
      expect(error).toMatchObject({ topic, partition: partitionCount, outcome: 'not-written' })
    })
    for (const { value, partition } of await readLogs(broker.bootstrap, [topic]))
      expect(`${value}`).toBe(`${partition}`)
  })

  test('go where a partitioner made for kafkajs puts them, which is asked once per record', async () => {
    const topic = await newTopic(broker)
    const asked: Message[] = []
    const createPartitioner =
      () =>
      ({ message, partitionMetadata }: PartitionerArgs) => {
        asked.push(message)
        return partitionMetadata.length - 1 - Number(message.value)
      }
    await producing(broker, { createPartitioner }, producer =>
      producer.send({ topic, messages: range(partitionCount, index => ({ value: `${index}` })) }),
    )
    for (const { value, partition } of await readLogs(broker.bootstrap, [topic]))
      expect(partition).toBe(partitionCount - 1 - Number(value))
    expect(asked).toHaveLength(partitionCount)
  })
})
