import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Kafka, logLevel } from 'kafkajs'
import { expect, inject, test } from 'vitest'
import { removeLeftovers } from './cluster/index.js'
import { projectFile } from './cluster/projectFile.js'
import type { KafkaNode } from './cluster/types.js'
import { until } from './cluster/wait.js'
import { describeKafka } from './suite.js'
import { createTopics } from './support/admin.js'

const withAdmin = async <T>(
  kafka: Kafka,
  use: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> => {
  const admin = kafka.admin()
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}

describeKafka(
  'one broker',
  { config: { 'auto.create.topics.enable': 'false', 'num.partitions': '3' } },
  broker => {
    test('takes its settings, and keeps its port and its topics when it is killed and started again', async () => {
      await withAdmin(broker.helper(), async admin => {
        await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: -1, replicationFactor: -1 }] })
        const { topics } = await admin.fetchTopicMetadata({ topics: ['kept'] })
        expect(topics[0]?.partitions).toHaveLength(3)
      })
      const node = broker.cluster.nodes[0]!
      await node.kill()
      await expect(
        withAdmin(broker.kafka({ retry: { retries: 0 } }), async () => undefined),
      ).rejects.toThrow()
      await node.start()
      // It may serve requests before it knows its topics again.
      const isThere = () =>
        withAdmin(broker.helper(), async admin => (await admin.listTopics()).includes('kept'))
      await until('the topic', async () => (await isThere()) || undefined, { timeoutMs: 20_000 })
    })
  },
)

describeKafka('three brokers', { brokers: 3 }, broker => {
  /** Asked of one healthy broker, with bounds: kafkajs's own retries go to the frozen one too. */
  const partition = async (askedOf: KafkaNode) => {
    const bounds = { connectionTimeout: 1_000, requestTimeout: 1_000, retry: { retries: 0 } }
    const kafka = broker.kafka({ brokers: [askedOf.address], ...bounds })
    const { topics } = await withAdmin(kafka, admin => admin.fetchTopicMetadata({ topics: ['replicated'] }))
    return topics[0]!.partitions[0]!
  }

  test('keep a topic on three and give it another leader when its own is killed, and when it is frozen', async () => {
    await createTopics(broker, { topic: 'replicated', numPartitions: 1, replicationFactor: -1 })
    const nodeOf = (id: number) => broker.cluster.nodes.find(node => node.id === id)!
    const leaderBeside = (not: number) =>
      until(
        'another leader',
        async () => {
          const healthy = broker.cluster.nodes.find(node => node.id !== not)!
          const id = await partition(healthy).then(
            ({ leader }) => leader,
            () => -1,
          )
          return id === not || id < 0 ? undefined : id
        },
        { timeoutMs: 40_000, everyMs: 200 },
      )

    const before = await partition(nodeOf(1))
    expect(before.replicas).toHaveLength(3)
    await nodeOf(before.leader).kill()
    const second = await leaderBeside(before.leader)
    await nodeOf(before.leader).start()
    await nodeOf(second).pause()
    expect(await leaderBeside(second)).not.toBe(second)
    await nodeOf(second).resume()
  }, 120_000)
})

describeKafka('a run that crashed', {}, broker => {
  test('leaves brokers that the next one ends, and only those', async () => {
    const kind = inject('kafka').source?.kind
    const args = [projectFile('test/kafka/broker.mjs'), ...(kind === 'docker' ? ['--docker'] : [])]
    const crashing = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(createInterface(crashing.stdout), 'line')) as [string]
    const ended = once(crashing, 'exit')
    crashing.kill('SIGKILL')
    await ended

    const address = line.replace('KAFKA_BROKERS=', '')
    expect(await answers(address)).toBe(true)
    expect(await removeLeftovers(kind, owner => owner === crashing.pid)).toBe(1)
    await until('the broker to be gone', async () => ((await answers(address)) ? undefined : true), {
      timeoutMs: 10_000,
    })
    expect(await answers(broker.bootstrap[0]!)).toBe(true)
  })
})

const answers = (address: string): Promise<boolean> =>
  withAdmin(
    new Kafka({ brokers: [address], logLevel: logLevel.NOTHING, retry: { retries: 0 } }),
    async () => true,
  ).catch(() => false)
