import kafkajs from 'kafkajs'
import type { SentRecord } from 'kafkajs-resilient-producer/testing'
import { checkDelivery } from 'kafkajs-resilient-producer/testing'
import { expect, test } from 'vitest'
import { until } from './cluster/wait.js'
import { forEachBroker, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics, withAdmin } from './support/admin.js'
import { leadersOf, readAtLeast } from './support/logs.js'
import { producing, range } from './support/producing.js'

const patience = { timeoutMs: 60_000 }

/** The brokers of either kind of cluster, to be killed and started again. */
const nodesOf = (broker: TestBroker) =>
  broker.kind === 'embedded'
    ? range(3, id => ({
        id,
        kill: () => broker.embedded.stopBroker(id),
        start: () => broker.embedded.startBroker(id),
      }))
    : broker.cluster.nodes

const untilInSync = (broker: TestBroker, topic: string, replicas: number) =>
  until(
    `${replicas} replicas in sync`,
    async () => {
      const partitions = await leadersOf(broker.bootstrap, [topic])
      return partitions.every(({ isr, leader }) => isr.length === replicas && leader >= 0) || undefined
    },
    patience,
  )

/** Sends numbered records at a steady rate, until it is stopped, and keeps what became of each. */
class Load {
  readonly sent: SentRecord[] = []
  readonly failures: unknown[] = []
  acknowledged = 0
  #sends: Promise<void>[] = []
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()

  constructor(
    send: (id: string) => Promise<{ partition: number; offset: string }>,
    topic: string,
    perSecond: number,
  ) {
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#startedAt) / 1000) * perSecond
      // A turn that came late does not make up for it in one burst.
      for (let i = 0; i < perSecond / 20 && this.sent.length < due; i++) {
        const id = String(this.sent.length)
        const place = this.sent.push({ topic, id, outcome: 'unknown' }) - 1
        const end = send(id).then(
          at => {
            this.acknowledged++
            this.sent[place] = { topic, id, outcome: 'acknowledged', ...at }
          },
          error => void this.failures.push(error),
        )
        this.#sends.push(end)
      }
    }, 10)
  }

  /** Resolves when so many more were acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged + count
    await until(`${count} more records`, async () => this.acknowledged >= goal || undefined, patience)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await Promise.all(this.#sends)
  }
}

forEachBroker('a cluster of three brokers', { real: { brokers: 3 } }, broker => {
  test("gets topics by 'admin' with the partitions, replicas and configuration of the first rule that matches", async () => {
    const prefix = uniqueTopic('rules')
    const topics = {
      create: 'admin',
      replicationFactor: 1,
      // Brokers before 4.0 want as many replicas in sync as their own setting says, where there are fewer.
      configEntries: [{ name: 'min.insync.replicas', value: '1' }],
      rules: [
        {
          match: `${prefix}-big*`,
          partitions: 12,
          replicationFactor: 3,
          configEntries: [
            { name: 'retention.ms', value: '123456789' },
            { name: 'cleanup.policy', value: 'compact,delete' },
          ],
        },
        { match: /-pair$/, partitions: 2, replicationFactor: 2 },
        // Too late for `big`, which an earlier rule has.
        { match: (topic: string) => topic.includes('big'), partitions: 99 },
      ],
    } as const
    const names = [`${prefix}-big.one`, `${prefix}-pair`, `${prefix}-plain`]
    await producing(broker, { topics }, async (producer, requests) => {
      await Promise.all(names.map(topic => producer.send({ topic, messages: [{ key: 'k', value: 'x' }] })))
      expect(requests.count('CreateTopics')).toBe(1)
    })
    const partitions = await leadersOf(broker.bootstrap, names)
    const layoutOf = (topic: string) => {
      const own = partitions.filter(each => each.topic === topic)
      return [own.length, ...new Set(own.map(each => each.replicas.length))]
    }
    expect(names.map(layoutOf)).toEqual([
      [12, 3],
      [2, 2],
      [1, 1],
    ])
    const configs = await withAdmin(broker, admin =>
      admin.describeConfigs({
        includeSynonyms: false,
        resources: names.map(name => ({ type: kafkajs.ConfigResourceTypes.TOPIC, name })),
      }),
    )
    const settingOf = (topic: string, name: string) =>
      configs.resources
        .find(({ resourceName }) => resourceName === topic)
        ?.configEntries.find(({ configName }) => configName === name)?.configValue
    expect(settingOf(names[0]!, 'retention.ms')).toBe('123456789')
    expect(settingOf(names[0]!, 'cleanup.policy')).toBe('compact,delete')
    expect(settingOf(names[1]!, 'retention.ms')).toBe('604800000')
    expect(await readAtLeast(3, broker.bootstrap, names)).toHaveLength(3)
  })

  test('gets new topics while one of them is away', async () => {
    const topics = range(20, () => uniqueTopic('new'))
    await producing(broker, {}, async producer => {
      const [first] = nodesOf(broker)
      await first!.kill()
      await Promise.all(topics.map(topic => producer.send({ topic, messages: [{ value: 'x' }] })))
      await first!.start()
    })
    expect(await readAtLeast(20, broker.bootstrap, topics)).toHaveLength(20)
  }, 120_000)

  test('loses, doubles and reorders nothing while its brokers are killed and started one after the other', async () => {
    const topic = uniqueTopic('rolling')
    await createTopics(broker, { topic, numPartitions: 6, replicationFactor: 3 })
    await untilInSync(broker, topic, 3)
    await producing(broker, {}, async producer => {
      const send = async (id: string) => {
        const [metadata] = await producer.send({
          topic,
          messages: [{ key: `${Number(id) % 50}`, value: id }],
        })
        return { partition: metadata!.partition, offset: metadata!.baseOffset! }
      }
      const load = new Load(send, topic, 2_000)
      try {
        for (const node of nodesOf(broker)) {
          await load.more(1_000)
          await node.kill()
          await load.more(1_000)
          await node.start()
          await untilInSync(broker, topic, 3)
        }
        await load.more(1_000)
      } finally {
        await load.stop()
      }
      expect(load.failures).toEqual([])
      const stored = await readAtLeast(load.sent.length, broker.bootstrap, [topic])
      checkDelivery(load.sent, stored).assert()
    })
  }, 240_000)
})
