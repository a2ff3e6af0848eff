import '../support/production.js'
import { describe, expect, test } from 'vitest'
import { until } from '../../kafka/cluster/wait.js'
import { forEachBroker, type TestBroker, uniqueTopic } from '../../kafka/suite.js'
import { withAdmin } from '../../kafka/support/admin.js'
import { leadersOf, readLogs } from '../../kafka/support/logs.js'
import { range } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { batchesOf, carries, refusal } from '../support/produceRequests.js'
import { served } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

const STALE = { UNKNOWN_TOPIC_OR_PARTITION: 3, LEADER_NOT_AVAILABLE: 5, NOT_LEADER_FOR_PARTITION: 6 }
const PARTITIONS = [0, 1, 2]
const PER_PARTITION = 3

const patience = { timeoutMs: 60_000 }

/** The partitions' leaders once all of them have one, and `isDone` holds. */
const leaders = (broker: TestBroker, topic: string, isDone: (leaders: number[]) => boolean) =>
  until(
    `the leaders of ${topic}`,
    async () => {
      const found = await leadersOf(broker.bootstrap, [topic])
      const nodes = found.toSorted((a, b) => a.partition - b.partition).map(({ leader }) => leader)
      return nodes.length === PARTITIONS.length && nodes.every(node => node >= 0) && isDone(nodes)
        ? nodes
        : undefined
    },
    patience,
  )

/** A topic of three partitions, each led by another broker. */
const spreadTopic = async (broker: TestBroker): Promise<{ topic: string; nodes: number[] }> => {
  const topic = uniqueTopic('spread')
  await withAdmin(broker, async admin => {
    const nodes = (await admin.describeCluster()).brokers.map(({ nodeId }) => nodeId)
    const replicaAssignment = PARTITIONS.map(partition => ({
      partition,
      replicas: nodes.map((_, at) => nodes[(partition + at) % nodes.length]!),
    }))
    await admin.createTopics({ topics: [{ topic, replicaAssignment }], waitForLeaders: false })
  })
  const nodes = await leaders(broker, topic, nodes => new Set(nodes).size === PARTITIONS.length)
  await served(broker, topic)
  return { topic, nodes }
}

const moveLeader = async (
  broker: TestBroker,
  topic: string,
  partition: number,
  leader: number,
  node: number,
) => {
  if (broker.kind === 'embedded') broker.embedded.moveLeader(topic, partition, node)
  else {
    await withAdmin(broker, async admin => {
      const others = (await admin.describeCluster()).brokers.filter(({ nodeId }) => nodeId !== node)
      // The first is preferred; two, as min.insync.replicas asks for. Those that are left out can lead no more.
      const replicas = [node, others.find(({ nodeId }) => nodeId !== leader)?.nodeId ?? node]
      const partitionAssignment = [{ partition, replicas }]
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] })
    })
  }
  await leaders(broker, topic, nodes => nodes[partition] === node)
  await served(broker, topic)
}

/** Three records for each of the partitions. */
const messages = PARTITIONS.flatMap(partition =>
  range(PER_PARTITION, index => ({ partition, value: `${partition}-${index}` })),
)

forEachBroker('src/producer/sendMessages.spec.js', { real: { brokers: 3 } }, broker => {
  const { connected } = clientsOf(broker)

  const tapped = async (config = {}) => {
    const tap = new Wiretap()
    return { tap, producer: await connected(config, { kafka: { socketFactory: tap.socketFactory } }) }
  }

  const valuesIn = async (topic: string) =>
    (await readLogs(broker.bootstrap, [topic])).map(({ value }) => String(value)).toSorted()

  describe('Producer > sendMessages', () => {
    test('only retry failed brokers', async () => {
      const { topic } = await spreadTopic(broker)
      const { tap, producer } = await tapped()
      const refused = { instead: refusal(STALE.LEADER_NOT_AVAILABLE) }
      tap.next('Produce', refused, carries(0))
      tap.next('Produce', refused, carries(2))
      tap.next('Produce', refused, carries(2))
      const sent = await producer.send({ topic, messages })
      expect(PARTITIONS.map(partition => tap.of('Produce').filter(carries(partition)).length)).toEqual([
        2, 1, 3,
      ])
      expect(sent.toSorted((a, b) => a.partition - b.partition)).toMatchObject(
        PARTITIONS.map(partition => ({ topicName: topic, partition, errorCode: 0, baseOffset: '0' })),
      )
      expect(await valuesIn(topic)).toEqual(messages.map(({ value }) => value))
    })

    for (const [type, code] of Object.entries(STALE)) {
      test(`refresh stale metadata on ${type}`, async () => {
        const { topic } = await spreadTopic(broker)
        const { tap, producer } = await tapped()
        await producer.send({ topic, messages: [{ partition: 0, value: 'first' }] })
        const asked = tap.of('Metadata').length
        tap.next('Produce', { instead: refusal(code) })
        await producer.send({ topic, messages: [{ partition: 0, value: 'second' }] })
        expect(tap.of('Metadata').length).toBeGreaterThan(asked)
        expect(tap.of('Produce')).toHaveLength(3)
        expect(await valuesIn(topic)).toEqual(['first', 'second'])
      })
    }

    test('does not re-produce messages to brokers that are no longer leaders after metadata refresh', async () => {
      const { topic, nodes } = await spreadTopic(broker)
      const { tap, producer } = await tapped()
      await producer.send({ topic, messages })
      await moveLeader(broker, topic, 1, nodes[1]!, nodes[2]!)
      const before = tap.of('Produce').length
      const sent = await producer.send({ topic, messages })
      const later = tap.of('Produce').slice(before)
      const brokersOf = (partition: number) => later.filter(carries(partition)).map(request => request.broker)
      // The partition that moved is tried where it was, then where it is, and never again where it was.
      const [old, ...rest] = brokersOf(1)
      expect(rest.length).toBeGreaterThan(0)
      expect(new Set(rest)).toEqual(new Set(brokersOf(2)))
      expect(rest).not.toContain(old)
      expect([brokersOf(0).length, brokersOf(2).length]).toEqual([1, 1])
      expect(sent.map(({ partition, baseOffset }) => [partition, baseOffset]).toSorted()).toEqual(
        PARTITIONS.map(partition => [partition, String(PER_PARTITION)]),
      )
      const twice = messages.flatMap(({ value }) => [value, value])
      expect(await valuesIn(topic)).toEqual(twice)
    })

    test('refreshes metadata if partition metadata is empty', async () => {
      // Created as it is asked for: the first answers show no partitions.
      const topic = uniqueTopic('empty')
      const { tap, producer } = await tapped()
      const sent = await producer.send({ topic, messages: [{ value: 'a' }] })
      expect(sent).toMatchObject([{ topicName: topic, baseOffset: '0' }])
      const naming = tap
        .of('Metadata')
        .filter(({ body }) =>
          (body as { topics: { name: string }[] }).topics.some(each => each.name === topic),
        )
      expect(naming.length).toBeGreaterThan(1)
    })

    test('retrieves sequence information from the transaction manager and updates', async () => {
      const { topic } = await spreadTopic(broker)
      const { tap, producer } = await tapped({ idempotent: true })
      await producer.send({ topic, messages })
      await producer.send({ topic, messages })
      const batches = tap.of('Produce').flatMap(batchesOf)
      for (const partition of PARTITIONS) {
        const sequences = batches
          .filter(batch => batch.partition === partition)
          .map(({ baseSequence, recordCount }) => [baseSequence, recordCount])
        expect(sequences).toEqual([
          [0, PER_PARTITION],
          [PER_PARTITION, PER_PARTITION],
        ])
      }
    })

    test('adds partitions to the transaction if transactional', async () => {
      const { topic } = await spreadTopic(broker)
      const { tap, producer } = await tapped({ transactionalId: uniqueTopic('id') })
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages })
      await transaction.commit()
      const added = tap
        .of('AddPartitionsToTxn')
        .flatMap(({ body }) => (body as { topics: { name: string; partitions: number[] }[] }).topics)
      expect(added.every(({ name }) => name === topic)).toBe(true)
      expect([...new Set(added.flatMap(({ partitions }) => partitions))].toSorted()).toEqual(PARTITIONS)
    })

    test('if transactional produces with the transactional id and producer id & epoch', async () => {
      const { topic } = await spreadTopic(broker)
      const transactionalId = uniqueTopic('id')
      const { tap, producer } = await tapped({ transactionalId })
      const transaction = await producer.transaction()
      await transaction.send({ topic, messages })
      await transaction.commit()
      const [ended] = tap
        .of('EndTxn')
        .map(({ body }) => body as { producerId: bigint; producerEpoch: number })
      const batches = tap.of('Produce').flatMap(batchesOf)
      expect(batches).toHaveLength(PARTITIONS.length)
      for (const batch of batches) {
        expect(batch).toMatchObject({
          producerId: ended?.producerId,
          producerEpoch: ended?.producerEpoch,
          isTransactional: true,
          transactionalId,
        })
      }
    })

    test('if idempotent produces with the producer id & epoch without the transactional id', async () => {
      const { topic } = await spreadTopic(broker)
      const { tap, producer } = await tapped({ idempotent: true })
      await producer.send({ topic, messages })
      const batches = tap.of('Produce').flatMap(batchesOf)
      const [{ producerId } = { producerId: -1n }] = batches
      expect(producerId).toBeGreaterThanOrEqual(0n)
      expect(batches).toHaveLength(PARTITIONS.length)
      for (const batch of batches) {
        expect(batch).toMatchObject({
          producerId,
          producerEpoch: 0,
          isTransactional: false,
          transactionalId: null,
        })
      }
    })
  })
})
