import { once } from 'node:events'
import net from 'node:net'
import { Duplex } from 'node:stream'
import type { ISocketFactory, KafkaConfig, SASLOptions } from 'kafkajs'
import { ResilientKafka, type ResilientProducer } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, type EmbeddedKafkaOptions, hang } from 'kafkajs-resilient-producer/testing'
import { describe, expect, type TestContext, test, vi } from 'vitest'

const never = () => new Promise<never>(() => {})
const silent = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
const OAUTH: SASLOptions = { mechanism: 'oauthbearer', oauthBearerProvider: never }
const CUSTOM = {
  mechanism: 'PLAIN',
  authenticationProvider: () => ({ authenticate: never }),
} as unknown as SASLOptions

/** They run at the same time: each cleans up what is its own. */
type Cleanup = Pick<TestContext, 'onTestFinished'>

const start = async (
  { onTestFinished }: Cleanup,
  options: EmbeddedKafkaOptions = {},
): Promise<EmbeddedKafka> => {
  const cluster = await EmbeddedKafka.start({ brokers: 1, ...options })
  onTestFinished(() => cluster.close({ clients: 'may-stay' }))
  return cluster
}

const producerOf = (
  { onTestFinished }: Cleanup,
  brokers: KafkaConfig['brokers'],
  config: Partial<KafkaConfig> = {},
) => {
  const warnings: string[] = []
  const kafka = new ResilientKafka({
    brokers,
    logCreator:
      () =>
      ({ label, log }) => {
        if (label === 'WARN') warnings.push(log.message)
      },
    ...config,
  })
  const producer = kafka.producer()
  onTestFinished(() => producer.disconnect({ timeoutMs: 0 }))
  return { producer, warnings }
}

const failureOf = (producer: ResilientProducer): Promise<Error> =>
  producer.connect({ timeoutMs: 300 }).then(
    () => expect.fail('it is connected'),
    (error: Error) => error,
  )

interface Hanging {
  readonly phase: string
  readonly brokers?: KafkaConfig['brokers']
  readonly config?: Partial<KafkaConfig>
  readonly cluster?: EmbeddedKafkaOptions
  prepare?(cluster: EmbeddedKafka): void
  readonly says: RegExp
  readonly remedy: RegExp
}

const SASL_CLUSTER: EmbeddedKafkaOptions = {
  listeners: { sasl: { users: { u: 'p' }, principalOfToken: () => 'someone' } },
}
const PLAIN: SASLOptions = { mechanism: 'plain', username: 'u', password: 'p' }
const CREDENTIALS = /credentials.*\(sasl\)|`sasl`/
const ADDRESSES = /addresses in `brokers`/

const HANGING: readonly Hanging[] = [
  {
    phase: 'TCP',
    config: { socketFactory: silent as unknown as ISocketFactory, connectionTimeout: 60_000 },
    says: /no TCP connection to 127\.0\.0\.1:\d+ yet, after \d+ ms of connectionTimeout \(60000 ms\)/,
    remedy: ADDRESSES,
  },
  {
    phase: 'ApiVersions',
    config: { requestTimeout: 50_000 },
    prepare: cluster => cluster.on('ApiVersions', hang, { times: Infinity }),
    says: /no answer to ApiVersions from 127\.0\.0\.1:\d+ yet, after \d+ ms of requestTimeout \(50000 ms\)/,
    remedy: ADDRESSES,
  },
  {
    phase: 'SASL',
    cluster: SASL_CLUSTER,
    config: { sasl: PLAIN, authenticationTimeout: 40_000 },
    prepare: cluster => cluster.on('SaslAuthenticate', hang, { times: Infinity }),
    says: /no answer to the SASL PLAIN login from 127\.0\.0\.1:\d+ yet, after \d+ ms of authenticationTimeout \(40000 ms\)/,
    remedy: CREDENTIALS,
  },
  {
    phase: 'a token provider',
    cluster: SASL_CLUSTER,
    config: { sasl: OAUTH, authenticationTimeout: 40_000 },
    says: /no credentials for SASL OAUTHBEARER at 127\.0\.0\.1:\d+ from the provider in `sasl` yet, after \d+ ms of authenticationTimeout \(40000 ms\)/,
    remedy: CREDENTIALS,
  },
  {
    phase: 'an authenticationProvider',
    cluster: SASL_CLUSTER,
    config: { sasl: CUSTOM, authenticationTimeout: 40_000 },
    says: /no credentials for SASL PLAIN at 127\.0\.0\.1:\d+ from the provider in `sasl` yet/,
    remedy: CREDENTIALS,
  },
  {
    phase: 'the function `brokers`',
    brokers: never,
    says: /the function `brokers` (has given|gave) no addresses/,
    remedy: ADDRESSES,
  },
  {
    phase: 'the answer to a request',
    prepare: cluster => cluster.on('Metadata', hang, { times: Infinity }),
    says: /(127\.0\.0\.1:\d+ has not answered Metadata for \d+ ms|Metadata.* to 127\.0\.0\.1:\d+ timed out: no answer within \d+ ms)/,
    remedy: ADDRESSES,
  },
  {
    phase: 'the answer to another one',
    prepare: cluster => cluster.on('InitProducerId', hang, { times: Infinity }),
    says: /127\.0\.0\.1:\d+ has not answered InitProducerId for \d+ ms/,
    remedy: ADDRESSES,
  },
]

describe.concurrent('a connect() that hangs names the step', () => {
  test.for(HANGING)(
    '$phase',
    async ({ brokers, config, cluster: options, prepare, says, remedy }, context) => {
      const cluster = await start(context, options)
      prepare?.(cluster)
      const { producer } = producerOf(context, brokers ?? cluster.bootstrap, config)
      const error = await failureOf(producer)
      expect(error).toMatchObject({
        name: 'BrokersUnreachableError',
        message: expect.stringMatching(says),
        cause: { name: 'KafkaJSConnectionError', message: expect.stringMatching(says) },
      })
      expect(error.message).toMatch(remedy)
    },
  )

  test('TLS', async context => {
    const server = net.createServer(() => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.onTestFinished(() => void server.close())
    const { port } = server.address() as net.AddressInfo
    const { producer } = producerOf(context, [`127.0.0.1:${port}`], { ssl: true, connectionTimeout: 60_000 })
    expect((await failureOf(producer)).message).toMatch(
      /no TLS connection to 127\.0\.0\.1:\d+ yet, after \d+ ms of connectionTimeout \(60000 ms\)/,
    )
  })
})

describe.concurrent('is one warning, and seen by health()', () => {
  test.for(HANGING.filter(({ phase }) => phase !== 'the answer to another one'))(
    '$phase',
    async ({ brokers, config, cluster: options, prepare, says, remedy }, context) => {
      const cluster = await start(context, options)
      prepare?.(cluster)
      const { producer, warnings } = producerOf(context, brokers ?? cluster.bootstrap, config)
      producer.connect().catch(() => {})
      await vi.waitFor(() => expect(warnings.join()).toContain('Still waiting'), {
        timeout: 20_000,
        interval: 50,
      })
      const [told] = warnings.filter(each => each.startsWith('Still waiting'))
      expect(told).toMatch(says)
      expect(told).toMatch(remedy)
      expect(told).not.toContain('advertised.listeners')
      const [wait] = producer.health().waits
      expect(wait).toMatchObject({
        reason: expect.stringMatching(says),
        remedy: expect.stringMatching(remedy),
      })
    },
  )
})

test.concurrent('a login that hangs on a connection for records is told as a login', async context => {
  const cluster = await start(context, SASL_CLUSTER)
  cluster.createTopic('t', { partitions: 1 })
  let calls = 0
  const sasl: SASLOptions = {
    mechanism: 'oauthbearer',
    oauthBearerProvider: () => (++calls > 1 ? never() : Promise.resolve({ value: 'token' })),
  }
  const { producer, warnings } = producerOf(context, cluster.bootstrap, {
    sasl,
    authenticationTimeout: 40_000,
  })
  await producer.connect()
  producer.send({ topic: 't', messages: [{ value: 'x' }] }).catch(() => {})
  await vi.waitFor(() => expect(warnings.join()).toContain('Still waiting'), {
    timeout: 20_000,
    interval: 50,
  })
  expect(warnings.at(-1)).toMatch(
    /^Still waiting to log in at broker 0 .*no credentials for SASL OAUTHBEARER.*Check the credentials \(sasl\) and the token provider\.$/,
  )
})

describe.concurrent('a KafkaConfig with a getter', () => {
  const withSsl = ({ onTestFinished }: Cleanup, brokers: string[], read: () => unknown) => {
    let isMade = false
    const config = { brokers } as KafkaConfig
    // kafkajs reads it once as the Kafka is made.
    Object.defineProperty(config, 'ssl', { get: () => (isMade ? read() : undefined) })
    const producer = new ResilientKafka(config).producer()
    isMade = true
    onTestFinished(() => producer.disconnect())
    return producer
  }

  test('that throws is read again', async context => {
    const cluster = await start(context)
    let reads = 0
    const producer = withSsl(context, cluster.bootstrap, () => {
      if (++reads === 1) throw new Error('the certificate is being written')
    })
    await producer.connect()
    expect(reads).toBeGreaterThan(1)
  })

  test('that throws for ever is named', async context => {
    const cluster = await start(context)
    const producer = withSsl(context, cluster.bootstrap, () => {
      throw new Error('no such file')
    })
    expect((await failureOf(producer)).message).toContain(
      'reading `ssl` of the KafkaConfig threw: no such file',
    )
  })

  test('that gives a promise is refused at once', async context => {
    const cluster = await start(context)
    const producer = withSsl(context, cluster.bootstrap, async () => ({}))
    expect(await failureOf(producer)).toMatchObject({
      name: 'KafkaJSNonRetriableError',
      message: expect.stringContaining('`ssl` of the KafkaConfig is a promise'),
    })
  })
})
