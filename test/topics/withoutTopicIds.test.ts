import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { changed, EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, it } from 'vitest'

interface Described {
  topics: { partitions: { partitionIndex: number }[] }[]
}

/** What a broker tells that has not heard of the partitions from `count` on. */
const lagging = (count: number) =>
  changed((response: unknown) => {
    const answer = response as Described
    const topics = answer.topics.map(topic => ({
      ...topic,
      partitions: topic.partitions.filter(each => each.partitionIndex < count),
    }))
    return { ...answer, topics }
  }) as never

/** Kafka 2.1 to 2.7 tell leader epochs but no topic ids: a deleted and recreated topic looks like an old answer. */
describe.each([
  ['Kafka 2.1 to 2.7', { Metadata: 9, Produce: 8 }],
  ['a broker with topic ids', { Metadata: 12, Produce: 11 }],
])('topics of %s', (_, maxVersions) => {
  const ends: (() => Promise<void>)[] = []
  const start = async (brokers: number) => {
    const cluster = await EmbeddedKafka.start({ brokers, autoCreate: false, maxVersions })
    const producer = createResilientProducer(
      new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }),
      { deliveryTimeoutMs: 10_000 },
    )
    ends.push(async () => {
      await producer.disconnect({ timeoutMs: 0 })
      await cluster.close()
    })
    await producer.connect()
    const send = (value: string, partition = 0) =>
      producer.send({ topic: 'events', messages: [{ value, partition }] })
    const values = (partition = 0) => cluster.records('events', partition).map(each => String(each.value))
    return { cluster, send, values }
  }
  afterEach(async () => {
    for (const end of ends.splice(0)) await end()
  })

  it('are found again after they were created anew, led by another broker at a lower epoch', async () => {
    const { cluster, send, values } = await start(3)
    cluster.createTopic('events', { partitions: 1, leaders: [0] })
    for (const node of [1, 2, 0]) cluster.moveLeader('events', 0, node)
    await send('old')
    cluster.recreateTopic('events')
    cluster.moveLeader('events', 0, 1)
    const results = await Promise.all(['a', 'b', 'c'].map(value => send(value)))
    expect(results.map(([each]) => each?.errorCode)).toEqual([0, 0, 0])
    await send('d')
    expect(values()).toEqual(['a', 'b', 'c', 'd'])
  })

  it('are found again on a cluster of one broker, which nobody else can confirm', async () => {
    const { cluster, send, values } = await start(1)
    cluster.createTopic('events', { partitions: 1 })
    for (let epoch = 0; epoch < 3; epoch++) cluster.moveLeader('events', 0, 0)
    await send('old')
    cluster.recreateTopic('events')
    await send('new')
    expect(values()).toEqual(['new'])
  })

  it('keep their records when one broker lags behind, with fewer partitions', async () => {
    const { cluster, send, values } = await start(2)
    cluster.createTopic('events', { partitions: 4, leaders: [0, 0, 0, 0] })
    await send('warm', 3)
    cluster.on('Produce', errorCode(6))
    cluster.on('Metadata', lagging(2))
    await send('x', 3)
    expect(values(3)).toEqual(['warm', 'x'])
  })

  it('keep their records when two brokers disagree about the number of partitions for long', async () => {
    const { cluster, send, values } = await start(2)
    cluster.createTopic('events', { partitions: 4, leaders: [0, 0, 0, 0] })
    await send('warm', 3)
    cluster.on('Metadata', lagging(2), { node: 1, times: Infinity })
    for (let count = 0; count < 4; count++) {
      cluster.on('Produce', errorCode(6))
      await send(`x${count}`, 3)
    }
    expect(values(3)).toEqual(['warm', 'x0', 'x1', 'x2', 'x3'])
  })
})
