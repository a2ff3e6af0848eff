import '../support/production.js'
import { describe, expect, test } from 'vitest'
import { advanceSequence } from '../../../src/delivery/idempotence/sequences.js'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { failureOf, range } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { batchesOf } from '../support/produceRequests.js'
import { createTopics } from '../support/topics.js'
import type { WireRequest } from '../support/wire.js'
import { Wiretap } from '../support/wiretap.js'

const GROUP = 0
const TRANSACTION = 1

interface Identity {
  readonly producerId: bigint
  readonly producerEpoch: number
}

interface Coordinated {
  readonly key: string
  readonly keyType: number
  readonly coordinatorKeys: readonly string[]
}

interface Added {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[]
}

/** Whether a coordinator of this kind was asked for by this name. */
const asksFor =
  (keyType: number, name: string) =>
  ({ body }: WireRequest): boolean => {
    const { keyType: kind, key, coordinatorKeys } = body as Coordinated
    return kind === keyType && [key, ...coordinatorKeys].includes(name)
  }

const placesOf = ({ body }: WireRequest) =>
  (body as Added).topics
    .flatMap(({ name, partitions }) => partitions.map(partition => `${name}/${partition}`))
    .toSorted()

/** A request that the coordinator is not ready for is retried. */
const unique = (places: readonly string[]) => [...new Set(places)].toSorted()

forEachBroker('src/producer/eosManager/index.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  const newTopics = async (count: number, numPartitions = 3) => {
    const topics = range(count, index => uniqueTopic(`eos-${index}`))
    await createTopics(broker, ...topics.map(topic => ({ topic, numPartitions })))
    return topics
  }

  /** A producer, what it asked for, and the identity that the broker last gave it. */
  const tapped = async (config: Parameters<typeof connected>[0]) => {
    const tap = new Wiretap()
    let identity: Identity | undefined
    const look = () =>
      tap.next('InitProducerId', {
        changed: response => {
          identity = response as Identity
          look()
          return response
        },
      })
    look()
    const producer = await connected(config, { kafka: { socketFactory: tap.socketFactory } })
    const known = () => {
      if (identity === undefined) throw new Error('no identity was given')
      const { producerId, producerEpoch } = identity
      return { producerId, producerEpoch }
    }
    return { tap, producer, identity: known }
  }

  const transactional = async () => {
    const transactionalId = uniqueTopic('id')
    const made = await tapped({ transactionalId, transactionTimeout: 30_000 })
    return { ...made, transactionalId }
  }

  const at = (partition: number, value = 'v') => ({ partition, value })

  describe('Producer > eosManager', () => {
    test('initializing the producer id and epoch', async () => {
      const [topic = ''] = await newTopics(1)
      const { tap, producer, identity } = await tapped({ idempotent: true })
      const asked = tap.of('InitProducerId').map(({ body }) => body)
      // Asked again while the broker has no ids to give yet.
      expect(asked.length).toBeGreaterThan(0)
      for (const body of asked) expect(body).toMatchObject({ transactionalId: null })
      await producer.send({ topic, messages: [at(1)] })
      expect(tap.of('Produce').flatMap(batchesOf)).toMatchObject([{ ...identity(), baseSequence: 0 }])
    })

    test('getting & updating the sequence per topic-partition', async () => {
      const [one = '', other = ''] = await newTopics(2)
      const { tap, producer } = await tapped({ idempotent: true })
      const sequences = async (topic: string, partition: number, records: number) => {
        const before = tap.of('Produce').length
        await producer.send({ topic, messages: range(records, () => at(partition)) })
        return tap
          .of('Produce')
          .slice(before)
          .flatMap(batchesOf)
          .map(({ baseSequence }) => baseSequence)
      }
      expect(await sequences(one, 1, 5)).toEqual([0])
      expect(await sequences(one, 1, 10)).toEqual([5])
      expect(await sequences(one, 1, 1)).toEqual([15])
      expect(await sequences(one, 2, 1)).toEqual([0])
      expect(await sequences(other, 1, 1)).toEqual([0])
      // 2 ** 31 records are too many to send here.
      expect(advanceSequence(2 ** 31 - 100, 100)).toBe(0)
      await producer.disconnect()
      await producer.connect()
      expect(await sequences(one, 1, 1)).toEqual([0])
    })

    describe('if transactional=true', () => {
      test('initializing the producer id and epoch with the transactional id', async () => {
        const [topic = ''] = await newTopics(1)
        const { tap, producer, identity, transactionalId } = await transactional()
        const transaction = await producer.transaction()
        expect(tap.of('FindCoordinator').filter(asksFor(TRANSACTION, transactionalId))).not.toEqual([])
        // Asked again while the coordinator is still loading.
        const asked = tap
          .of('InitProducerId')
          .map(({ body }) => body as { transactionalId: string | null })
          .filter(body => body.transactionalId !== null)
        expect(asked.length).toBeGreaterThan(0)
        for (const body of asked)
          expect(body).toMatchObject({ transactionalId, transactionTimeoutMs: 30_000 })
        await transaction.send({ topic, messages: [at(0)] })
        expect(tap.of('Produce').flatMap(batchesOf)).toMatchObject([
          { ...identity(), transactionalId, isTransactional: true, baseSequence: 0 },
        ])
      })

      test('adding partitions to transaction', async () => {
        const [one = '', two = '', three = ''] = await newTopics(3)
        const { tap, producer, identity, transactionalId } = await transactional()
        const transaction = await producer.transaction()
        const added = async (...places: readonly (readonly [string, number])[]) => {
          const before = tap.of('AddPartitionsToTxn').length
          const topicMessages = places.map(([topic, partition]) => ({ topic, messages: [at(partition)] }))
          await transaction.sendBatch({ topicMessages })
          return tap.of('AddPartitionsToTxn').slice(before)
        }
        const first = await added([one, 1], [one, 2], [two, 1])
        expect(unique(first.flatMap(placesOf))).toEqual([`${one}/1`, `${one}/2`, `${two}/1`].toSorted())
        for (const { body } of first) expect(body).toMatchObject({ ...identity(), transactionalId })
        expect(await added([one, 1], [one, 2], [two, 1])).toEqual([])
        const later = await added([one, 1], [two, 1], [two, 2], [three, 1])
        expect(unique(later.flatMap(placesOf))).toEqual([`${two}/2`, `${three}/1`].toSorted())
      })

      for (const [title, end, committed] of [
        ['committing a transaction', 'commit', true],
        ['aborting a transaction', 'abort', false],
      ] as const) {
        test(title, async () => {
          const [topic = ''] = await newTopics(1)
          const consumerGroupId = uniqueTopic('group')
          const { tap, producer, identity, transactionalId } = await transactional()
          const ends = () => tap.of('EndTxn').map(({ body }) => body)
          const withRecords = await producer.transaction()
          await withRecords.send({ topic, messages: [at(0)] })
          await withRecords[end]()
          const ended = { ...identity(), transactionalId, committed }
          expect(ends()).toEqual([ended])
          expect((await failureOf(withRecords[end]())).message).toBe(
            'Cannot continue to use transaction once ended',
          )
          const withOffsets = await producer.transaction()
          const partitions = [{ partition: 0, offset: '1' }]
          await withOffsets.sendOffsets({ consumerGroupId, topics: [{ topic, partitions }] })
          await withOffsets[end]()
          expect(ends()).toEqual([ended, ended])
        })
      }

      test('sending offsets', async () => {
        const [topic = ''] = await newTopics(1)
        const groupId = uniqueTopic('group')
        const { tap, producer, identity, transactionalId } = await transactional()
        const transaction = await producer.transaction()
        const partitions = [{ partition: 0, offset: '7' }]
        await transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions }] })
        expect(tap.of('FindCoordinator').filter(asksFor(GROUP, groupId))).not.toEqual([])
        expect(tap.of('AddOffsetsToTxn').at(-1)?.body).toEqual({ ...identity(), transactionalId, groupId })
        const [committed] = tap.of('TxnOffsetCommit').slice(-1)
        expect(committed?.body).toMatchObject({
          ...identity(),
          transactionalId,
          groupId,
          topics: [{ name: topic, partitions: [{ partitionIndex: 0, committedOffset: 7n }] }],
        })
        await transaction.commit()
        const late = transaction.sendOffsets({ consumerGroupId: groupId, topics: [{ topic, partitions }] })
        expect((await failureOf(late)).message).toBe('Cannot continue to use transaction once ended')
      })

      for (const [title, end] of [
        ['aborting transaction when no operation have been made should not send EndTxn', 'abort'],
        ['commiting transaction when no operation have been made should not send EndTxn', 'commit'],
      ] as const) {
        test(title, async () => {
          const { tap, producer } = await transactional()
          const transaction = await producer.transaction()
          await transaction[end]()
          expect(transaction.isActive()).toBe(false)
          expect(tap.of('EndTxn')).toEqual([])
        })
      }
    })

    describe('if transactional=false', () => {
      // Of such a producer there is no transaction: what the others would need is refused with it.
      for (const [method, api] of [
        ['beginTransaction', 'InitProducerId'],
        ['addPartitionsToTransaction', 'AddPartitionsToTxn'],
        ['sendOffsets', 'AddOffsetsToTxn'],
        ['commit', 'EndTxn'],
        ['abort', 'EndTxn'],
      ] as const) {
        test(`${method} throws`, async () => {
          const { tap, producer } = await tapped({ idempotent: true })
          const asked = tap.of(api).length
          const error = await failureOf(producer.transaction())
          expect(error).toMatchObject({
            message: 'Must provide transactional id for transactional producer',
            retriable: false,
          })
          expect(tap.of(api)).toHaveLength(asked)
        })
      }
    })
  })
})
