import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  changed,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  errorCode,
} from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../src/cli/program.js'
import { testIo } from '../../support/io.js'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cli-doctor-'))
})
afterAll(() => rm(dir, { recursive: true }))

let cluster: EmbeddedKafka
const startCluster = async (options: EmbeddedKafkaOptions = {}) => {
  cluster = await EmbeddedKafka.start(options)
}
afterEach(async () => {
  expect(cluster.journal.allTopicsRequests()).toEqual([])
  expect(cluster.journal.of('Metadata').filter(each => each.allowAutoTopicCreation)).toEqual([])
  expect(cluster.journal.of('Produce')).toEqual([])
  await cluster.close()
})

interface Settings {
  readonly producer?: object
  readonly env?: NodeJS.ProcessEnv
  readonly brokers?: readonly string[]
}

const doctor = async (argv: readonly string[] = [], { producer, env, brokers }: Settings = {}) => {
  const config = join(dir, 'config.json')
  await writeFile(config, JSON.stringify(producer ? { producer } : {}))
  const io = testIo({ env: env ?? {} })
  const seeds = (brokers ?? cluster.bootstrap).join(',')
  const code = await run(['doctor', '-b', seeds, '--config', config, ...argv], '1.2.3', io)
  return { code, out: io.stdout.text, err: io.stderr.text }
}

/** A port of this machine on which nobody listens. */
const deadPort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('resilient-producer doctor', () => {
  it('finds a sound cluster sound, with status 0', async () => {
    await startCluster({
      brokers: 3,
      autoCreate: { replicationFactor: 3 },
      config: { 'min.insync.replicas': '2', 'default.replication.factor': '3' },
    })
    cluster.createTopic('t', { partitions: 6, replicationFactor: 3 })
    const { code, out, err } = await doctor(['--topic', 't'])
    const [a, b, c] = cluster.bootstrap
    expect(out.split('\n')).toEqual([
      `ok      ${a} answers`,
      `ok      ${b} answers`,
      `ok      ${c} answers`,
      `ok      broker 0 is reached at the address it advertises, ${a}`,
      `ok      broker 1 is reached at the address it advertises, ${b}`,
      `ok      broker 2 is reached at the address it advertises, ${c}`,
      expect.stringMatching(/^ok {6}the brokers speak like Kafka \d/),
      'ok      topics are created by use (auto.create.topics.enable=true)',
      'ok      t has 6 partitions, each with a leader',
      'ok      t has 3 replicas and needs 2 in sync',
      'ok      requests are up to 104,857,600 bytes, and the brokers take 104,857,600 bytes',
      'ok      a record may have about 1,048,588 bytes on t, compressed (max.message.bytes)',
      'ok      the producer may be idempotent: no record is written twice',
      'ok      this clock and the controller’s differ by less than 5.0 s',
      'no problem, 14 in order',
      '',
    ])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await doctor(['--topic', 't', '--quiet'])).toEqual({ code: 0, out: '', err: '' })
  })

  it('finds the broker that advertises an address which cannot be reached', async () => {
    await startCluster({ brokers: 2 })
    cluster.createTopic('t')
    const port = await deadPort()
    cluster.on(
      'Metadata',
      changed(response => ({
        ...response,
        brokers: response.brokers.map(each => (each.nodeId === 1 ? { ...each, port } : each)),
      })),
      { times: Infinity },
    )
    const { code, out } = await doctor(['--topic', 't'], { brokers: [cluster.bootstrap[0]!] })
    expect(code).toBe(1)
    expect(out).toContain(`ok      broker 0 is reached at the address it advertises`)
    expect(out).toMatch(
      new RegExp(
        `PROBLEM broker 1 advertises 127.0.0.1:${port}, which cannot be reached from here: connection refused\n +-> set its advertised.listeners`,
      ),
    )
    // The rest is looked at by way of the others.
    expect(out).toContain('ok      t has 1 partition')
    expect(out).toMatch(/\n1 problem, (\d+ warnings?, )?\d+ in order\n$/)
  })

  it('says why nobody is reached, and no more', async () => {
    await startCluster()
    const port = await deadPort()
    const { code, out } = await doctor([], { brokers: [`127.0.0.1:${port}`] })
    expect(code).toBe(1)
    expect(out.split('\n')).toEqual([
      `PROBLEM 127.0.0.1:${port} cannot be reached: connection refused`,
      '        -> look at the address, the network between, and whether the broker runs',
      '1 problem, 0 in order',
      '',
    ])
    const some = await doctor([], { brokers: [`127.0.0.1:${port}`, ...cluster.bootstrap] })
    expect(some.code).toBe(0)
    expect(some.out).toContain(`warning 127.0.0.1:${port} cannot be reached: connection refused`)
  })

  it('says that credentials are refused', async () => {
    await startCluster({ listeners: { sasl: { users: { me: 'right' } } } })
    const { code, out } = await doctor(['--sasl-mechanism', 'plain', '--sasl-username', 'me'], {
      env: { KAFKA_SASL_PASSWORD: 'wrong' },
    })
    expect(code).toBe(1)
    expect(out).toMatch(/cannot be reached: it refuses the SASL credentials/)
    expect(out).not.toContain('wrong')
  })

  it('finds two addresses of different clusters, and brokers that advertise the same one', async () => {
    await startCluster({ brokers: 2 })
    const other = await EmbeddedKafka.start({ seed: 2 })
    const twoClusters = await doctor([], { brokers: [cluster.bootstrap[0]!, other.bootstrap[0]!] })
    expect(twoClusters.out).toMatch(/PROBLEM the given addresses belong to 2 clusters/)
    await other.close()
    cluster.on(
      'Metadata',
      changed(response => ({
        ...response,
        brokers: response.brokers.map(each => ({ ...each, port: response.brokers[0]!.port })),
      })),
      { times: Infinity },
    )
    const { out } = await doctor()
    expect(out).toMatch(/PROBLEM broker 0 advertises (\S+), and so does broker 1\n/)
  })

  it('finds an address that leads to another broker', async () => {
    await startCluster({ brokers: 2 })
    cluster.on(
      'Metadata',
      changed(response => {
        const { port } = response.brokers[0]!
        return {
          ...response,
          brokers: response.brokers.map(each =>
            each.nodeId === 1 ? { ...each, host: 'localhost', port } : each,
          ),
        }
      }),
      { times: Infinity },
    )
    const { code, out } = await doctor()
    expect(code).toBe(1)
    expect(out).toMatch(/PROBLEM broker 1 advertises localhost:\d+, where another broker answers/)
    expect(out).not.toContain('does not tell its settings')
  })

  describe('of a topic that does not exist', () => {
    it.each([
      [{}, 0, /ok {6}t does not exist, .*'broker': it can be created, and will be by the first send/],
      [{ topics: { create: 'never' } }, 1, /PROBLEM t does not exist, .*'never'.*UnknownTopicError/],
      [{ topics: { create: 'admin' } }, 0, /ok {6}t does not exist, .*'admin': it can be created/],
      [
        { topics: { create: 'admin', replicationFactor: 3 } },
        1,
        /PROBLEM t does not exist, .*cannot be created: .*\(INVALID_REPLICATION_FACTOR\)/,
      ],
    ])('tells what %j makes of it', async (producer, code, says) => {
      await startCluster()
      const result = await doctor(['-t', 't'], { producer })
      expect(result.out).toMatch(says)
      expect(result.code).toBe(code)
    })

    it('takes the policy of the environment', async () => {
      await startCluster()
      const { out } = await doctor(['-t', 't'], { env: { RESILIENT_KAFKA_TOPICS: 'never' } })
      expect(out).toContain("create: 'never'")
    })

    it('tells of a name that collides', async () => {
      await startCluster()
      cluster.createTopic('a_b')
      const { code, out } = await doctor(['-t', 'a.b'])
      expect(code).toBe(1)
      expect(out).toMatch(
        /cannot be created: .*collides with existing topic: a_b \(INVALID_TOPIC_EXCEPTION\)/,
      )
    })

    it('tells that nobody creates it', async () => {
      await startCluster({ autoCreate: false })
      const { code, out } = await doctor(['-t', 't'])
      expect(code).toBe(1)
      expect(out).toContain('ok      topics are not created by use (auto.create.topics.enable=false)')
      expect(out).toMatch(/PROBLEM t does not exist, .*TopicCreationDisabledError\n.*--topic-creation admin/)
    })
  })

  it('says of a broker before 0.11 that it is too old, not that it cannot be reached', async () => {
    await startCluster({ maxVersions: { Metadata: 1, Produce: 'none' } })
    const { code, out } = await doctor()
    expect(code).toBe(1)
    expect(out).toContain(`ok      ${cluster.bootstrap[0]} answers\n`)
    expect(out).toContain(
      `PROBLEM ${cluster.bootstrap[0]} is too old for this producer\n        -> it needs Kafka 0.11 or newer`,
    )
    expect(out).not.toContain('cannot be reached')
  })

  it('finds that new topics never have enough replicas in sync, with status 1', async () => {
    await startCluster({ config: { 'min.insync.replicas': '2' } })
    const { code, out } = await doctor()
    expect(code).toBe(1)
    expect(out).toMatch(
      /PROBLEM new topics have 1 replica by default and ask for 2 in sync: no record to them is ever acknowledged\n/,
    )
  })

  it('says that a plain listener takes no SASL login, and which flag is in the way', async () => {
    await startCluster()
    const argv = ['--sasl-mechanism', 'plain', '--sasl-username', 'me']
    const { code, out } = await doctor(argv, { env: { KAFKA_SASL_PASSWORD: 'x' } })
    expect(code).toBe(1)
    expect(out).toMatch(/takes no SASL login on this port\n +-> leave --sasl-mechanism off/)
  })

  it('says that an HTTP server is no broker', async () => {
    await startCluster()
    const server = createHttpServer((_, response) => void response.end('hello'))
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const { code, out } = await doctor([], { brokers: [`127.0.0.1:${port}`] })
    await new Promise(resolve => server.close(resolve))
    expect(code).toBe(1)
    expect(out).toMatch(/an HTTP server listens there\n +-> name the broker’s own port in --brokers/)
  })

  it('finds brokers of which some create topics and some do not', async () => {
    await startCluster({ brokers: 3, brokerConfig: { 1: { 'auto.create.topics.enable': 'false' } } })
    const { code, out } = await doctor()
    expect(code).toBe(0)
    expect(out).toContain('warning auto.create.topics.enable is true on broker 0, 2 and false on broker 1')
  })

  it('finds that fewer replicas are in sync than needed, now or with the next restart', async () => {
    await startCluster({ brokers: 3, config: { 'min.insync.replicas': '2' } })
    cluster.createTopic('tight', { partitions: 2, replicationFactor: 2 })
    cluster.createTopic('never', { replicationFactor: 1 })
    expect((await doctor(['-t', 'tight'])).out).toContain('warning tight needs all of its 2 replicas in sync')
    const never = await doctor(['-t', 'never'])
    expect(never.code).toBe(1)
    expect(never.out).toContain('PROBLEM never has 1 replica and asks for 2 in sync')
    expect((await doctor(['-t', 'never'], { producer: { acks: 1 } })).code).toBe(0)
    await cluster.stopBroker(2)
    await cluster.stopBroker(1)
    const brokers = [cluster.bootstrap[0]!]
    const tight = await doctor(['-t', 'tight'], { brokers })
    expect(tight.out).toMatch(
      /PROBLEM tight (needs 2 replicas in sync, and has fewer on|has no leader for) partition/,
    )
  })

  it('finds sizes that do not fit', async () => {
    await startCluster({ config: { 'socket.request.max.bytes': '50000000', 'message.max.bytes': '1000' } })
    const { code, out } = await doctor()
    expect(code).toBe(1)
    expect(out).toContain(
      'PROBLEM requestBytes is 104,857,600 bytes, and a broker takes requests up to 50,000,000',
    )
    expect(out).toContain('-> lower "requestBytes" under "producer" in --config to 50000000')
    expect(out).toContain('warning batchBytes is 65,536 bytes, and a broker takes batches up to 1,000 bytes')
  })

  it.each([
    [{}, 0, /warning the cluster gives no producer id: .*\(CLUSTER_AUTHORIZATION_FAILED\)/],
    [{ idempotent: true }, 1, /PROBLEM the cluster gives no producer id.*connect\(\) fails/],
    [{ idempotent: false }, 0, /ok {6}the producer is set to go without idempotence/],
  ])('tells what a refused producer id means with %j', async (producer, code, says) => {
    await startCluster()
    cluster.on('InitProducerId', errorCode(31))
    const result = await doctor([], { producer })
    expect(result.out).toMatch(says)
    expect(result.out).toMatch(/IDEMPOTENT_WRITE|set to go without/)
    expect(result.code).toBe(code)
  })

  it.each([
    [3_600_000 * 2, {}, 0, /warning this clock is (119|120) min \d+ s behind/],
    [-60_000, {}, 0, /warning this clock is (59|60).* s ahead|warning this clock is 1 min 0 s ahead/],
    [
      -60_000,
      { 'log.message.timestamp.after.max.ms': '1000' },
      1,
      /PROBLEM this clock .*ahead of[\s\S]*are refused/,
    ],
  ])('finds a controller whose clock is off by %d ms', async (offMs, config, code, says) => {
    await startCluster({ config })
    cluster.on(
      'DescribeQuorum',
      changed(response => ({
        ...response,
        topics: response.topics.map(topic => ({
          ...topic,
          partitions: topic.partitions.map(log => ({
            ...log,
            currentVoters: log.currentVoters.map(each => ({
              ...each,
              lastCaughtUpTimestamp: BigInt(Date.now() + offMs),
            })),
          })),
        })),
      })),
    )
    const result = await doctor()
    expect(result.out).toMatch(says)
    expect(result.code).toBe(code)
  })

  it('says what an old or a closed cluster does not tell, and goes on', async () => {
    await startCluster({
      maxVersions: { DescribeQuorum: 'none', Produce: 7, InitProducerId: 'none', Metadata: 6 },
    })
    cluster.on('DescribeConfigs', errorCode(31), { times: Infinity })
    const { code, out } = await doctor(['-t', 't'])
    expect(code).toBe(0)
    for (const line of [
      'ok      the brokers speak like Kafka 2.1 to 2.3',
      'warning broker 0 has no producer ids',
      'unknown broker 0 does not tell its settings: not authorized for the cluster (CLUSTER_AUTHORIZATION_FAILED)',
      'unknown the cluster’s clock is not known: this version of Kafka does not tell it',
      'unknown whether the producer may be idempotent is not known',
    ])
      expect(out).toContain(line)
  })

  it('finds a topic that it may not see', async () => {
    await startCluster()
    cluster.deny('t')
    const { code, out } = await doctor(['-t', 't'])
    expect(code).toBe(1)
    expect(out).toContain('PROBLEM t is not shown to this user: not authorized for the topic')
  })

  it('refuses a wrong name, and options that cannot be, with status 2', async () => {
    await startCluster()
    expect(await doctor(['-t', 'a b'])).toMatchObject({ code: 2, out: '' })
    expect(await doctor([], { producer: { acks: 7 } })).toMatchObject({
      code: 2,
      err: expect.stringContaining('acks must be one of'),
    })
  })
})
