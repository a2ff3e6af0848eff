import type { RecordMetadata } from 'kafkajs'
import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { forEachBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { readLogs } from './support/logs.js'
import { producing, range } from './support/producing.js'

forEachBroker('acknowledgements', { real: 'shared' }, broker => {
  test.each([-1, 1])('of acks %i come with the offset at which the record stands', async acks => {
    const topic = uniqueTopic('acked')
    await producing(broker, {}, async producer => {
      for (const offset of range(5, index => index)) {
        const metadata = await producer.send({ topic, acks, messages: [{ value: `${offset}` }] })
        expect(metadata).toEqual([
          {
            topicName: topic,
            partition: 0,
            errorCode: 0,
            baseOffset: `${offset}`,
            logAppendTime: '-1',
            logStartOffset: '0',
          },
        ])
      }
    })
    const stored = await readLogs(broker.bootstrap, [topic])
    expect(stored.map(({ offset, value }) => [offset, `${value}`])).toEqual(
      range(5, index => [index, `${index}`]),
    )
    // Records of acks 1 cannot be idempotent.
    expect(stored.every(({ producerId }) => (acks === -1 ? producerId >= 0 : producerId === -1))).toBe(true)
  })

  test('of acks 0 are none: the call resolves with nothing, and its records arrive', async () => {
    const topic = uniqueTopic('unacked')
    await createTopics(broker, { topic })
    await producing(broker, { acks: 0 }, async producer => {
      const results = await Promise.all(
        range(50, index => producer.send({ topic, messages: [{ value: `${index}` }] })),
      )
      expect(results).toEqual(results.map(() => []))
      const stored = await until(
        'the records to arrive',
        async () => {
          const records = await readLogs(broker.bootstrap, [topic])
          return records.length >= 50 ? records : undefined
        },
        { timeoutMs: 25_000 },
      )
      expect(stored.map(({ value }) => `${value}`)).toEqual(range(50, index => `${index}`))
    })
  })

  test('of calls that differ in them do not change the order of a partition', async () => {
    const topic = uniqueTopic('mixed')
    await createTopics(broker, { topic })
    const kinds = [-1, 1, -1, 0, 1]
    await producing(broker, {}, async producer => {
      await Promise.all(
        range(500, index =>
          producer.send({ topic, acks: kinds[(index >> 2) % 5]!, messages: [{ value: `${index}` }] }),
        ),
      )
    })
    const stored = await readLogs(broker.bootstrap, [topic])
    expect(stored.map(({ value }) => Number(value))).toEqual(range(500, index => index))
  })

  test('name the offset of each call, however calls and topics share batches', async () => {
    const topics = range(3, () => uniqueTopic('shared-batch'))
    await createTopics(broker, ...topics.map(topic => ({ topic, numPartitions: 4 })))
    const calls: { id: string; metadata: readonly RecordMetadata[] }[] = []
    await producing(broker, {}, async producer => {
      await Promise.all(
        range(300, async index => {
          const id = `call ${index}`
          const metadata = await producer.sendBatch({
            topicMessages: range(1 + (index % 3), at => ({
              topic: topics[(index + at) % 3]!,
              messages: range(1 + ((index * 5) % 11), nth => ({ key: `${index % 10}${nth % 4}`, value: id })),
            })),
          })
          calls.push({ id, metadata })
        }),
      )
    })
    const stored = await readLogs(broker.bootstrap, topics)
    for (const { id, metadata } of calls) {
      const first = new Map<string, number>()
      for (const { topic, partition, offset, value } of stored)
        if (`${value}` === id && !first.has(`${topic}/${partition}`))
          first.set(`${topic}/${partition}`, offset)
      const named = metadata.map(({ topicName, partition, baseOffset }) => [
        `${topicName}/${partition}`,
        Number(baseOffset),
      ])
      expect(named).toHaveLength(first.size)
      expect(Object.fromEntries(named)).toEqual(Object.fromEntries(first))
    }
  })

  test("carry the broker's time where the topic is kept by it, and the first offset that is left", async () => {
    const topic = uniqueTopic('append-time')
    await createTopics(broker, {
      topic,
      configEntries: [{ name: 'message.timestamp.type', value: 'LogAppendTime' }],
    })
    await producing(broker, {}, async producer => {
      const send = () => producer.send({ topic, messages: [{ value: 'x', timestamp: '1' }] })
      const before = await Promise.all(range(5, send))
      const stored = await readLogs(broker.bootstrap, [topic])
      expect(before.map(([metadata]) => Number(metadata!.logAppendTime))).toEqual(
        stored.map(({ timestamp }) => timestamp),
      )
      await withAdmin(broker, async admin => {
        // Its deleteTopicRecords only looks up leaders of topics that it has met before.
        await admin.fetchTopicOffsets(topic)
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '3' }] })
      })
      expect(await send()).toMatchObject([{ baseOffset: '5', logStartOffset: '3' }])
    })
  })
})
