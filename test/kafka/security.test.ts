import { createPrivateKey } from 'node:crypto'
import { type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs'
import { ResilientKafka, type ResilientProducer } from 'kafkajs-resilient-producer'
import { checkDelivery, type SentRecord } from 'kafkajs-resilient-producer/testing'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { cert, key } from '../testing/support/certificate.js'
import { until } from './cluster/wait.js'
import { uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'
import { readLogs } from './support/logs.js'
import { failureOf, range } from './support/producing.js'
import {
  type Entry,
  hasTls,
  PASSWORD,
  type SecureBroker,
  startSecureBroker,
  USER,
  unsecuredToken,
} from './support/secureBroker.js'
import { TestBroker } from './testBroker.js'

const PASSPHRASE = 'a passphrase for a key of no worth'
const encryptedKey = createPrivateKey(key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  .toString()
const ssl = { ca: [cert] }
const oauth = (token: () => string): SASLOptions => ({
  mechanism: 'oauthbearer',
  oauthBearerProvider: async () => ({ value: token() }),
})
const password = { username: USER, password: PASSWORD }
const mechanisms: Record<string, SASLOptions> = {
  PLAIN: { mechanism: 'plain', ...password },
  'SCRAM-SHA-256': { mechanism: 'scram-sha-256', ...password },
  'SCRAM-SHA-512': { mechanism: 'scram-sha-512', ...password },
  OAUTHBEARER: oauth(() => unsecuredToken(USER, 600)),
}

const entries: [name: string, entry: Entry, config: Partial<KafkaConfig>][] = [
  ['TLS', 'TLS', { ssl }],
  ['mutual TLS', 'mutual TLS', { ssl: { ...ssl, cert, key: encryptedKey, passphrase: PASSPHRASE } }],
  ...Object.entries(mechanisms).flatMap(([name, sasl]): [string, Entry, Partial<KafkaConfig>][] => [
    [name, 'SASL', { sasl }],
    [`${name} over TLS`, 'SASL over TLS', { ssl, sasl }],
  ]),
]

/** Short, so that a few seconds of load see several renewals; shorter ones leave no time to renew in. */
const SESSION_MS = 3_000

const { source, owner } = inject('kafka')
// Containers have the listeners of their image.
const version = source?.kind === 'local' ? source.version : undefined
const offered = entries.filter(([, entry]) => entry === 'SASL' || version === undefined || hasTls(version))
const title = version ? '[local Kafka]' : '[no Kafka as a Java process]'

describe.skipIf(!version)(
  `a broker that lets nobody in without ${title}`,
  { meta: { kafka: version ? 'local' : 'none' } },
  () => {
    let broker: SecureBroker
    /** For what the tests ask by themselves. */
    let plain: TestBroker

    beforeAll(async () => {
      broker = await startSecureBroker(version!, { sessionLifetimeMs: SESSION_MS, owner })
      plain = new TestBroker('local', version)
      plain.use(broker.bootstrap)
    })
    afterAll(() => broker?.stop())

    const producerAt = (entry: Entry, config: Partial<KafkaConfig>): ResilientProducer =>
      new ResilientKafka({ brokers: [broker.at[entry]], logLevel: logLevel.NOTHING, ...config }).producer()

    const sendAll = async (producer: ResilientProducer, topic: string, from: number, count: number) => {
      const sent = await Promise.all(
        range(count, async (index): Promise<SentRecord> => {
          const id = `${from + index}`
          const [metadata] = await producer.send({ topic, messages: [{ key: `${index % 50}`, value: id }] })
          return { topic, id, partition: metadata!.partition }
        }),
      )
      return sent
    }

    test.each(offered)('%s: what is sent is delivered, once and in order', async (_, entry, config) => {
      const topic = uniqueTopic('secure')
      await createTopics(plain, { topic, numPartitions: 3 })
      const producer = producerAt(entry, config)
      await producer.connect()
      const sent = await sendAll(producer, topic, 0, 2_000)
      await producer.disconnect()
      checkDelivery(sent, await readLogs(broker.bootstrap, [topic])).assert()
    })

    test.each(Object.entries(mechanisms))(
      '%s renews its sessions under load; nothing is lost, and no connection either',
      async (_, sasl) => {
        const topic = uniqueTopic('renewed')
        await createTopics(plain, { topic, numPartitions: 3 })
        const producer = producerAt('SASL', { sasl })
        const counts = { connections: 0, handshakes: 0 }
        producer.on(producer.events.REQUEST, ({ payload: { apiName } }) => {
          if (apiName === 'ApiVersions') counts.connections++
          if (apiName === 'SaslHandshake') counts.handshakes++
        })
        await producer.connect()
        const sent: SentRecord[] = []
        const [{ connections }, end] = [{ ...counts }, performance.now() + 3.5 * SESSION_MS]
        await until(
          'three renewals of the connection that records go by',
          async () => {
            sent.push(...(await sendAll(producer, topic, sent.length, 20)))
            return performance.now() > end && counts.handshakes >= counts.connections + 3 ? true : undefined
          },
          { timeoutMs: 40_000, everyMs: 5 },
        )
        // The one for records was opened by the first of them.
        expect(counts.connections).toBeLessThanOrEqual(connections + 1)
        await producer.disconnect()
        checkDelivery(sent, await readLogs(broker.bootstrap, [topic])).assert()
      },
      60_000,
    )

    test.each([
      ['PLAIN', { ...mechanisms.PLAIN, password: 'wrong' }],
      ['SCRAM-SHA-256', { ...mechanisms['SCRAM-SHA-256'], password: 'wrong' }],
      ['SCRAM-SHA-512', { ...mechanisms['SCRAM-SHA-512'], username: 'nobody' }],
      ['OAUTHBEARER', oauth(() => unsecuredToken(USER, -600))],
    ] as [string, SASLOptions][])('%s that is refused is said at once', async (_, sasl) => {
      const error = await failureOf(producerAt('SASL', { sasl }).connect())
      expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError', retriable: false })
      expect(error.message).not.toContain(PASSWORD)
    })
  },
)
