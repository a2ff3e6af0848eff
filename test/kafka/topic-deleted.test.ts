import { type ResilientProducer, UnknownTopicError } from 'kafkajs-resilient-producer'
import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { leadersOf, readLogs } from './support/logs.js'
import { failureOf, producing } from './support/producing.js'

const deleteTopic = async (broker: TestBroker, topic: string) => {
  await withAdmin(broker, admin => admin.deleteTopics({ topics: [topic] }))
  await until(
    'the topic to be gone',
    async () => ((await leadersOf(broker.bootstrap, [topic])).length === 0 ? true : undefined),
    { timeoutMs: 30_000 },
  )
}

const send = (producer: ResilientProducer, topic: string, value: string) =>
  producer.send({ topic, messages: [{ value }] })

/** A broker tells that a topic is gone a moment before its log is: sends until one goes to the new topic, at offset 0. */
const sendUntilAnew = (producer: ResilientProducer, topic: string) =>
  until(
    'a record in the topic that was created again',
    async () => {
      const [metadata] = await send(producer, topic, 'again')
      return metadata?.baseOffset === '0' ? metadata : undefined
    },
    { timeoutMs: 30_000 },
  )

const valuesOf = async (broker: TestBroker, topic: string) =>
  (await readLogs(broker.bootstrap, [topic])).map(({ value }) => `${value}`)

forEachBroker('a topic that is deleted while it is in use', { real: 'shared' }, broker => {
  test("is created again by 'broker'", async () => {
    const topic = uniqueTopic('deleted')
    await producing(broker, {}, async producer => {
      await send(producer, topic, 'first')
      await send(producer, topic, 'second')
      await deleteTopic(broker, topic)
      await sendUntilAnew(producer, topic)
      await send(producer, topic, 'last')
    })
    expect(await valuesOf(broker, topic)).toEqual(['again', 'last'])
  })

  test("is created again by 'admin', as its rule says", async () => {
    const topic = uniqueTopic('deleted')
    const topics = { create: 'admin', rules: [{ match: 'deleted-*', partitions: 3 }] } as const
    await producing(broker, { topics }, async (producer, requests) => {
      const pinned = (value: string) => producer.send({ topic, messages: [{ value, partition: 2 }] })
      await pinned('first')
      await pinned('second')
      await deleteTopic(broker, topic)
      await until(
        'a record in the topic that was created again',
        async () => ((await pinned('again'))[0]?.baseOffset === '0' ? true : undefined),
        { timeoutMs: 30_000 },
      )
      expect(requests.count('CreateTopics')).toBe(2)
    })
    expect(await leadersOf(broker.bootstrap, [topic])).toHaveLength(3)
    expect(await valuesOf(broker, topic)).toEqual(['again'])
  })

  test("fails by 'never', which says so, and is found again when somebody creates it", async () => {
    const topic = uniqueTopic('deleted')
    await createTopics(broker, { topic })
    await producing(broker, { topics: { create: 'never', waitForMs: 0 } }, async producer => {
      await send(producer, topic, 'first')
      await deleteTopic(broker, topic)
      const error = await until(
        'a send that fails',
        () =>
          send(producer, topic, 'second').then(
            () => undefined,
            (cause: Error) => cause,
          ),
        { timeoutMs: 30_000 },
      )
      expect(error).toBeInstanceOf(UnknownTopicError)
      expect(error).toMatchObject({ topic, outcome: 'not-written' })
      expect(await failureOf(send(producer, topic, 'third'))).toBeInstanceOf(UnknownTopicError)
      await createTopics(broker, { topic })
      expect(await send(producer, topic, 'fourth')).toMatchObject([{ baseOffset: '0' }])
    })
    expect(await valuesOf(broker, topic)).toEqual(['fourth'])
  })

  test('is waited for while other topics go on, and delivers its records in order once it is back', async () => {
    const [topic, other] = [uniqueTopic('deleted'), uniqueTopic('other')]
    await createTopics(broker, { topic }, { topic: other })
    const topics = { create: 'never', waitForMs: 600_000 } as const
    let missed = false
    const metadataRetry = { onRetry: () => void (missed = true) }
    await producing(broker, { topics, metadataRetry }, async producer => {
      await send(producer, topic, 'first')
      await deleteTopic(broker, topic)
      const parked: Promise<unknown>[] = []
      // Until the producer has noticed, records may still go to the log that is being deleted.
      await until(
        'the topic to be missed',
        async () => {
          parked.push(send(producer, topic, 'lost with the old topic or parked'))
          return missed || undefined
        },
        { timeoutMs: 30_000 },
      )
      let ended = 0
      for (let i = 0; i < 20; i++) {
        const late = send(producer, topic, `parked ${i}`)
        parked.push(late)
        void late.then(() => ended++)
        await send(producer, other, `${i}`)
      }
      expect(ended).toBe(0)
      await createTopics(broker, { topic })
      await Promise.all(parked)
    })
    const parkedValues = (await valuesOf(broker, topic)).filter(value => /^parked \d+$/.test(value))
    expect(parkedValues).toEqual(Array.from({ length: 20 }, (_, i) => `parked ${i}`))
    expect(await valuesOf(broker, other)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`))
  })

  test('and created again under load takes up where the old one ended: in order and once', async () => {
    const [topic, other] = [uniqueTopic('deleted'), uniqueTopic('other')]
    await createTopics(broker, { topic, numPartitions: 1 }, { topic: other })
    await producing(broker, {}, async producer => {
      const sends: Promise<{ topic: string; id: number; offset: number }>[] = []
      let next = 0
      const load = setInterval(() => {
        for (let i = 0; i < 10; i++) {
          const id = next++
          for (const to of [topic, other]) {
            sends.push(
              send(producer, to, `${id}`).then(([metadata]) => ({
                topic: to,
                id,
                offset: Number(metadata!.baseOffset),
              })),
            )
          }
        }
      }, 5)
      try {
        await until('some load', async () => next > 100 || undefined, { timeoutMs: 30_000 })
        await withAdmin(broker, admin => admin.deleteTopics({ topics: [topic] }))
        const atDeletion = next
        await until('more load', async () => next > atDeletion + 300 || undefined, { timeoutMs: 30_000 })
      } finally {
        clearInterval(load)
      }
      const ended = await Promise.all(sends)
      expect(await valuesOf(broker, other)).toEqual(Array.from({ length: next }, (_, id) => `${id}`))
      const kept = (await valuesOf(broker, topic)).map(Number)
      // Acknowledged before the deletion and gone with the old log: a beginning of what was sent, and nothing else.
      expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => next - kept.length + i))
      const acknowledged = ended.filter(each => each.topic === topic).slice(-kept.length)
      expect(acknowledged.map(({ id, offset }) => [id, offset])).toEqual(
        kept.map((id, offset) => [id, offset]),
      )
    })
  })
})
