import { createPrivateKey } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { type KafkaConfig, type LogEntry, logLevel } from 'kafkajs'
import { ResilientKafka, type ResilientProducer } from 'kafkajs-resilient-producer'
import { dropAfterApply, EmbeddedKafka, ERROR, errorCode } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test } from 'vitest'
import { cert, key } from '../testing/support/certificate.js'

const PASSWORD = 'correct-horse'
const TOKEN = 'aGVhZGVy.dGhlIHRva2Vu.'
const PASSPHRASE = 'the-passphrase'
const encryptedKey = createPrivateKey(key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: PASSPHRASE })
  .toString()
const SECRETS = [
  PASSWORD,
  'battery-staple',
  'the-value',
  'the-header',
  'the-key',
  TOKEN,
  'wrong.token.',
  PASSPHRASE,
  // A line is enough to know that a key was told.
  ...[key, encryptedKey].flatMap(pem => pem.split('\n').slice(1, -2)),
].flatMap(secret => [
  secret,
  Buffer.from(secret).toString('base64').replace(/=+$/, ''),
  Buffer.from(`\0alice\0${secret}`).toString('base64'),
])

const CHANNELS = ['batch', 'failure', 'retry', 'wait', 'topic-created', 'connection'].map(
  name => `kafkajs-resilient-producer:${name}`,
)

let cluster: EmbeddedKafka
let look: (thing: unknown) => void
afterEach(() => {
  for (const channel of CHANNELS) unsubscribe(channel, look)
  return cluster.close()
})

/** Everything that a service's operator gets to see: logs of every level, channels, metrics, health, errors as Node prints them. */
const watched = async (config: Partial<KafkaConfig>) => {
  cluster = await EmbeddedKafka.start({
    listeners: {
      sasl: {
        users: { alice: PASSWORD },
        principalOfToken: token => (token === TOKEN ? 'alice' : undefined),
      },
      ...(config.ssl ? { tls: { key, cert } } : {}),
    },
    autoCreate: { never: topic => topic === 'never' },
  })
  const seen: string[] = []
  look = thing => seen.push(inspect(thing, { depth: 20, showHidden: true }), String(thing))
  for (const channel of CHANNELS) subscribe(channel, look)
  const registry = new Registry()
  const kafka = new ResilientKafka({
    brokers: cluster.bootstrap,
    ...config,
    logLevel: logLevel.DEBUG,
    logCreator: () => (entry: LogEntry) => look(entry),
  })
  look(kafka)
  const producer = kafka.producer(
    {},
    {
      metrics: { registry, topicLabel: 'all' },
      metadataRetry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 2 },
      retry: { retries: 1, minTimeoutMs: 1, maxTimeoutMs: 2 },
    },
  )
  for (const name of Object.values(producer.events)) producer.on(name as never, look)
  const shown = async () => {
    look(producer.health())
    return [...seen, await registry.metrics()].join('\n')
  }
  return { producer, shown }
}

const message = { key: 'the-key', value: 'the-value', headers: { authorization: 'the-header' } }

/** One after the other: a request with records of two topics would meet the fault for the first one only. */
const failures = async (producer: ResilientProducer): Promise<unknown[]> => {
  cluster.on('Produce', errorCode(ERROR.INVALID_RECORD), { topic: 'refused' })
  cluster.on('Produce', dropAfterApply, { topic: 'dropped', times: 2 })
  const calls = [
    () => producer.send({ topic: 'refused', messages: [message] }),
    () => producer.send({ topic: 'dropped', messages: [message] }),
    () => producer.send({ topic: 'never', messages: [message] }),
    () => producer.send({ topic: 'good', messages: [{ ...message, partition: 99 }] }),
    () => producer.send({ topic: 'good', messages: [{ ...message, timestamp: 'the-value' }] }),
    () => producer.send({ topic: 'good', messages: 'the-value' as never }),
    () =>
      producer.sendBatch({
        topicMessages: [
          { topic: 'good', messages: [message] },
          { topic: 'never', messages: [message] },
        ],
      }),
  ]
  const errors: unknown[] = []
  for (const call of calls) await call().catch((error: unknown) => errors.push(error))
  return errors
}

const user = (password: string) => ({ username: 'alice', password })
const token = (value: string) =>
  ({ mechanism: 'oauthbearer', oauthBearerProvider: async () => ({ value }) }) as const
const right: [string, Partial<KafkaConfig>][] = [
  ['PLAIN', { sasl: { mechanism: 'plain', ...user(PASSWORD) } }],
  ['SCRAM-SHA-256', { sasl: { mechanism: 'scram-sha-256', ...user(PASSWORD) } }],
  ['SCRAM-SHA-512', { sasl: { mechanism: 'scram-sha-512', ...user(PASSWORD) } }],
  ['OAUTHBEARER', { sasl: token(TOKEN) }],
  [
    'a key with a passphrase',
    {
      ssl: { ca: [cert], cert, key: encryptedKey, passphrase: PASSPHRASE },
      sasl: { mechanism: 'plain', ...user(PASSWORD) },
    },
  ],
]
const wrong: [string, Partial<KafkaConfig>][] = [
  ['PLAIN', { sasl: { mechanism: 'plain', ...user('battery-staple') } }],
  ['SCRAM-SHA-256', { sasl: { mechanism: 'scram-sha-256', ...user('battery-staple') } }],
  ['SCRAM-SHA-512', { sasl: { mechanism: 'scram-sha-512', ...user('battery-staple') } }],
  ['OAUTHBEARER', { sasl: token('wrong.token.') }],
]

describe('credentials, keys, values and headers', () => {
  test.each(right)(
    'stand in no log line, event, metric, error or inspection, whatever fails (%s)',
    async (_, config) => {
      const { producer, shown } = await watched(config)
      await producer.connect()
      await producer.send({ topic: 'good', messages: [message] })
      const errors = await failures(producer)
      expect(errors).toHaveLength(7)
      for (const error of errors) look(error)
      look(producer)
      await producer.disconnect()
      const text = await shown()
      expect(text).toContain('Produce')
      for (const what of ["error: 'RecordRejectedError'", 'elapsedMs', 'brokersAnswer'])
        expect(text).toContain(what)
      expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
    },
  )

  test.each(wrong)('are not told when they are wrong either (%s)', async (_, config) => {
    const { producer, shown } = await watched(config)
    const error = await producer.connect().catch((each: Error) => each)
    expect(error).toMatchObject({ name: 'KafkaJSSASLAuthenticationError' })
    look(error)
    look(producer)
    const text = await shown()
    expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
  })

  test('nor is the passphrase of a key, when it is wrong', async () => {
    const ssl = { ca: [cert], cert, key: encryptedKey, passphrase: 'battery-staple' }
    const { producer, shown } = await watched({ ssl, sasl: { mechanism: 'plain', ...user(PASSWORD) } })
    const error = await producer.connect().catch((each: Error) => each)
    expect(error).toBeInstanceOf(Error)
    look(error)
    look(producer)
    const text = await shown()
    expect(SECRETS.filter(secret => text.includes(secret))).toEqual([])
  })
})
