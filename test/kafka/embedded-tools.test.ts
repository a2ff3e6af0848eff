import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasJavaTools, hasKcat, runJavaTool } from './support/consumers.js'

/*
 * Clients of other makes on the embedded cluster: kcat (librdkafka) and Kafka's own Java tools, where they are there.
 */
const [kcat, java] = await Promise.all([hasKcat(), hasJavaTools()])
const USERS = { alice: 'secret' }
const run = promisify(execFile)

/** kcat's output; what it is to send stands on its standard input. */
const runKcat = async (cluster: EmbeddedKafka, args: readonly string[], input = ''): Promise<string> => {
  const started = run('kcat', ['-b', cluster.bootstrap.join(','), ...args], { timeout: 20_000 })
  started.child.stdin?.end(input)
  return (await started).stdout
}

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({
    brokers: 3,
    autoCreate: { partitions: 2 },
  })
})
// A client that ends does not wait until its connections have.
afterEach(() => cluster.close({ clients: 'may-stay' }))

const stored = (topic: string) =>
  cluster
    .records(topic)
    .map(({ value }) => `${value}`)
    .sort()

describe.skipIf(!kcat)(kcat ? 'kcat' : 'kcat [not installed]', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4'])(
    'writes by %s, idempotently, to a topic that does not exist yet',
    async codec => {
      const settings = ['-z', codec, '-X', 'enable.idempotence=true']
      await runKcat(cluster, ['-P', '-t', 'new', ...settings], 'a\nb\nc\n')
      expect(stored('new')).toEqual(['a', 'b', 'c'])
      expect(cluster.records('new').every(({ producerId }) => producerId >= 0)).toBe(true)
    },
  )

  test('reads to the end, as one and as a group', async () => {
    cluster.createTopic('t', { partitions: 2 })
    await runKcat(cluster, ['-P', '-t', 't', '-K', ':'], 'k:a\nl:b\nm:c\n')
    const alone = await runKcat(cluster, ['-C', '-t', 't', '-e', '-q', '-o', 'beginning'])
    expect(alone.trim().split('\n').sort()).toEqual(['a', 'b', 'c'])
    const group = ['-X', 'auto.offset.reset=earliest', '-X', 'enable.partition.eof=true']
    const together = await runKcat(cluster, ['-e', '-q', '-c', '3', ...group, '-G', 'readers', 't'])
    expect(together.trim().split('\n').sort()).toEqual(['a', 'b', 'c'])
  })

  test('lists topics, leaders and offsets', async () => {
    cluster.createTopic('t', { partitions: 1, leaders: [2] })
    const listed = JSON.parse(await runKcat(cluster, ['-L', '-J'])) as {
      brokers: unknown[]
      topics: { topic: string; partitions: { leader: number }[] }[]
    }
    expect(listed.brokers).toHaveLength(3)
    expect(listed.topics).toMatchObject([{ topic: 't', partitions: [{ leader: 2 }] }])
    await runKcat(cluster, ['-P', '-t', 't'], 'a\n')
    expect(await runKcat(cluster, ['-Q', '-t', 't:0:-1'])).toContain('t [0] offset 1')
  })

  // Not by SCRAM: the librdkafka of kcat 1.7 writes another nonce than it was given, which newer brokers refuse too.
  test.each(['PLAIN', 'OAUTHBEARER'])('authenticates by %s', async mechanism => {
    const own = await EmbeddedKafka.start({
      listeners: {
        sasl: { users: USERS, principalOfToken: token => (token.includes('.') ? 'alice' : undefined) },
      },
    })
    const credentials =
      mechanism === 'OAUTHBEARER'
        ? ['enable.sasl.oauthbearer.unsecure.jwt=true', 'sasl.oauthbearer.config=principal=alice']
        : ['sasl.username=alice', `sasl.password=${USERS.alice}`]
    const settings = ['security.protocol=SASL_PLAINTEXT', `sasl.mechanisms=${mechanism}`, ...credentials]
    await runKcat(own, ['-P', '-t', 't', ...settings.flatMap(each => ['-X', each])], 'a\n')
    expect(own.records('t')).toHaveLength(1)
    await own.close({ clients: 'may-stay' })
  })
})

describe.skipIf(!java)(java ? 'Kafka’s Java tools' : 'Kafka’s Java tools [no jars]', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'embedded-tools-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const withSettings = async (settings: Readonly<Record<string, string>>): Promise<string> => {
    const file = join(folder, 'client.properties')
    await writeFile(
      file,
      Object.entries(settings)
        .map(([key, value]) => `${key}=${value}\n`)
        .join(''),
    )
    return file
  }
  const bootstrap = (of: EmbeddedKafka) => ['--bootstrap-server', of.bootstrap.join(',')]

  test('write and read, in a group too', async () => {
    await runJavaTool('console-producer', [...bootstrap(cluster), '--topic', 'new'], 'a\nb\n')
    expect(stored('new')).toEqual(['a', 'b'])
    const read = await runJavaTool('console-consumer', [
      ...[...bootstrap(cluster), '--topic', 'new', '--from-beginning', '--max-messages', '2'],
      ...['--group', 'readers', '--timeout-ms', '20000'],
    ])
    expect(read.trim().split('\n').sort()).toEqual(['a', 'b'])
  }, 60_000)

  test.each(['SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])(
    'authenticate by %s',
    async mechanism => {
      const own = await EmbeddedKafka.start({
        listeners: {
          sasl: {
            users: USERS,
            principalOfToken: each => (each.split('.').length === 3 ? 'alice' : undefined),
          },
        },
      })
      const modules = 'org.apache.kafka.common.security'
      const jaas =
        mechanism === 'OAUTHBEARER'
          ? `${modules}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";`
          : `${modules}.scram.ScramLoginModule required username="alice" password="${USERS.alice}";`
      const config = await withSettings({
        'security.protocol': 'SASL_PLAINTEXT',
        'sasl.mechanism': mechanism,
        'sasl.jaas.config': jaas,
      })
      await runJavaTool(
        'console-producer',
        [...bootstrap(own), '--topic', 't', '--producer.config', config],
        'a\n',
      )
      expect(own.records('t')).toHaveLength(1)
      await own.close({ clients: 'may-stay' })
    },
    60_000,
  )
})
