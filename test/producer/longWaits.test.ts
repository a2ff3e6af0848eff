import { Kafka } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { changed, EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test, vi } from 'vitest'

interface Setting {
  readonly cluster: EmbeddedKafka
  readonly producer: ResilientProducer
  send(topic?: string): Promise<unknown>
}

interface Scenario {
  readonly name: string
  /** Records are delivered before. */
  readonly begun: boolean
  /** Brings the trouble about; returns what ends it. */
  begin(setting: Setting): () => void
  readonly topics?: readonly string[]
  readonly says: RegExp
  readonly over: RegExp
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'missing topics',
    begun: false,
    topics: Array.from({ length: 50 }, (_, i) => `late-${i}`),
    begin: ({ cluster }) => {
      return () => {
        for (let i = 0; i < 50; i++) cluster.createTopic(`late-${i}`, { partitions: 1 })
      }
    },
    says: /^Still waiting for 50 topics \("late-0", .* and 45 more\) to become available \(\d+\.\d s so far, 50 records\): broker \d answered UNKNOWN_TOPIC_OR_PARTITION/,
    over: /^The wait for topics ended after \d+\.\d s: 50 available\.$/,
  },
  {
    name: 'a partition without a leader',
    begun: true,
    begin: ({ cluster }) => {
      cluster.moveLeader('t', 0, -1)
      return () => cluster.moveLeader('t', 0, 0)
    },
    says: /^Still waiting for a leader of topic "t", partition 0 \(\d+\.\d s so far, 1 record\).*unavailable-partitions/,
    over: /^The wait for topic "t", partition 0 ended after \d+\.\d s: led again\.$/,
  },
  {
    name: 'a topic none of whose partitions ever had a leader',
    begun: false,
    begin: ({ cluster }) => {
      cluster.moveLeader('t', 0, -1)
      return () => cluster.moveLeader('t', 0, 0)
    },
    says: /^Still waiting for a leader of topic "t" \(\d+\.\d s so far, 1 record\): broker 0 answered LEADER_NOT_AVAILABLE/,
    over: /^The wait for topic "t" ended after \d+\.\d s: led again\.$/,
  },
  {
    name: 'a leader that cannot be reached',
    begun: false,
    begin: ({ cluster }) => {
      let wrong = true
      cluster.on(
        'Metadata',
        changed(answer =>
          wrong ? { ...answer, brokers: answer.brokers.map(each => ({ ...each, port: 9 })) } : answer,
        ),
        { times: Infinity },
      )
      return () => {
        wrong = false
      }
    },
    says: /^Still waiting for a connection to broker 0 \(\d+\.\d s so far, 1 record\): .*ECONNREFUSED.*advertised\.listeners/,
    over: /^The wait for broker 0 ended after \d+\.\d s: answering again\.$/,
  },
  {
    name: 'a broker that takes connections and says nothing on them',
    begun: false,
    begin: ({ cluster }) => {
      // The first two connections are for control requests.
      let isMute = true
      let open = () => {}
      const opened = new Promise<void>(resolve => {
        open = resolve
      })
      let connections = 0
      cluster.on(
        'ApiVersions',
        async (_request, next) => {
          if (isMute && ++connections > 1) await opened
          return next()
        },
        { times: Infinity },
      )
      return () => {
        isMute = false
        open()
      }
    },
    says: /^Still waiting for a connection to broker 0 \(\d+\.\d s so far, 1 record\): no answer to ApiVersions from 127\.0\.0\.1:\d+ yet, after \d+ ms of requestTimeout \(30000 ms\)\. Check that the broker runs/,
    over: /^The wait for broker 0 ended after \d+\.\d s: answering again\.$/,
  },
  {
    name: 'a broker that answers nothing',
    begun: true,
    begin: ({ cluster }) => {
      cluster.pauseBroker(0)
      return () => cluster.resumeBroker(0)
    },
    says: /^Still waiting for an answer of broker 0 \(\d+\.\d s so far, 1 record\)\. Check whether the broker is stopped/,
    over: /^The wait for broker 0 ended after \d+\.\d s: answering again\.$/,
  },
  {
    name: 'NOT_ENOUGH_REPLICAS',
    begun: true,
    begin: ({ cluster }) => {
      let few = true
      cluster.on('Produce', (request, next) => (few ? errorCode(19)(request, next) : next()), {
        times: Infinity,
      })
      return () => {
        few = false
      }
    },
    says: /^Still retrying topic "t", partition 0 after NOT_ENOUGH_REPLICAS \(\d+\.\d s so far, 1 record\): .*min\.insync\.replicas\.$/,
    over: /^The wait for topic "t", partition 0 ended after \d+\.\d s: accepting records again\.$/,
  },
  {
    name: 'a quota',
    begun: true,
    begin: ({ cluster }) => {
      cluster.on(
        'Produce',
        changed(answer => ({ ...answer, throttleTimeMs: 6500 })),
        { times: 1 },
      )
      return () => {}
    },
    says: /^Still held back by a quota of broker 0 \(\d+\.\d s so far, 1 record\): broker 0 holds this client back for \d+ ms by a quota/,
    over: /^The wait for broker 0 ended after \d+\.\d s: free of the quota again\.$/,
  },
]

describe.concurrent('a wait of more than 5 s is told once, and once more when it is over', () => {
  test.each(SCENARIOS)('$name', async ({ begun, topics = ['t'], begin, says, over }) => {
    const cluster = await EmbeddedKafka.start({ brokers: 1 })
    const lines: { level: string; message: string }[] = []
    const kafka = new Kafka({
      brokers: cluster.bootstrap,
      logCreator:
        () =>
        ({ label, log }) =>
          lines.push({ level: label, message: log.message }),
    })
    const producer = createResilientProducer(kafka, {
      topics: { create: 'never', waitForMs: 60_000 },
      requestTimeoutMs: 60_000,
    })
    const of = (level: string) => lines.filter(each => each.level === level).map(({ message }) => message)
    const send = (topic = 't') => producer.send({ topic, messages: [{ value: 'x' }] })
    try {
      if (!topics.includes('late-0')) cluster.createTopic('t', { partitions: 1 })
      if (begun) {
        await producer.connect()
        await send()
      }
      const end = begin({ cluster, producer, send })
      if (!begun) await producer.connect()
      if (says.source.includes('quota')) await send()
      const sends = topics.map(topic => send(topic))
      for (const each of sends) each.catch(() => {})
      await vi.waitFor(() => expect(of('WARN')).toHaveLength(1), { timeout: 20_000, interval: 50 })
      expect(of('WARN')[0]).toMatch(says)
      expect(of('INFO')).toEqual([])
      end()
      await Promise.all(sends)
      await vi.waitFor(() => expect(of('INFO')).toHaveLength(1), { timeout: 20_000, interval: 50 })
      expect(of('INFO')[0]).toMatch(over)
      await producer.disconnect()
      expect(lines.filter(({ level }) => level !== 'WARN' && level !== 'INFO')).toEqual([])
      expect(lines).toHaveLength(2)
    } finally {
      await producer.disconnect({ timeoutMs: 0 })
      await cluster.close({ clients: 'may-stay' })
    }
  })
})

describe.concurrent('other long waits', () => {
  const started = async (options: ResilientProducerOptions) => {
    const cluster = await EmbeddedKafka.start({ brokers: 1 })
    const lines: { level: string; message: string }[] = []
    const kafka = new Kafka({
      brokers: cluster.bootstrap,
      logCreator:
        () =>
        ({ label, log }) =>
          lines.push({ level: label, message: log.message }),
    })
    const producer = createResilientProducer(kafka, options)
    const of = (level: string) => lines.filter(each => each.level === level).map(({ message }) => message)
    const told = (level: string, count: number) =>
      vi.waitFor(() => expect(of(level)).toHaveLength(count), { timeout: 20_000, interval: 50 })
    return { cluster, producer, of, told }
  }

  test('for buffer space name what holds the buffer', async () => {
    const { cluster, producer, of, told } = await started({ bufferBytes: 20_000, ackTimeoutMs: 500 })
    try {
      cluster.createTopic('t', { partitions: 1 })
      await producer.connect()
      const messages = [{ value: Buffer.alloc(900) }]
      await producer.send({ topic: 't', messages })
      cluster.pauseBroker(0)
      const sends = Array.from({ length: 40 }, () => producer.send({ topic: 't', messages }))
      for (const each of sends) each.catch(() => {})
      await told('WARN', 2)
      expect(of('WARN').find(each => each.startsWith('Calls'))).toMatch(
        /^Calls still wait for buffer space \(\d+\.\d s so far, \d+ records\)\. The buffer is held by records that wait for broker 0\./,
      )
      cluster.resumeBroker(0)
      await Promise.all(sends)
      await told('INFO', 2)
    } finally {
      await producer.disconnect({ timeoutMs: 0 })
      await cluster.close({ clients: 'may-stay' })
    }
  })

  test('for a producer id and for brokers during connect() are told too', async () => {
    const { cluster, producer, of, told } = await started({})
    try {
      let loading = true
      cluster.on('InitProducerId', (request, next) => (loading ? errorCode(14)(request, next) : next()), {
        times: Infinity,
      })
      const connected = producer.connect()
      connected.catch(() => {})
      await told('WARN', 1)
      expect(of('WARN')[0]).toMatch(
        /^Still waiting for a producer id \(\d+\.\d s so far\): .*COORDINATOR_LOAD_IN_PROGRESS/,
      )
      loading = false
      await connected
      await told('INFO', 1)
      expect(of('INFO')[0]).toMatch(/^The wait for a producer id ended after \d+\.\d s: obtained\.$/)
    } finally {
      await producer.disconnect({ timeoutMs: 0 })
      await cluster.close({ clients: 'may-stay' })
    }
  })

  test('for any broker at all', async () => {
    const { cluster, producer, of, told } = await started({ idempotent: false })
    try {
      await cluster.stopBroker(0)
      const connected = producer.connect()
      connected.catch(() => {})
      await told('WARN', 1)
      expect(of('WARN')[0]).toMatch(
        /^Still waiting for a connection to the brokers \(\d+\.\d s so far\): .*ECONNREFUSED/,
      )
      await cluster.startBroker(0)
      await connected
      await told('INFO', 1)
      expect(of('INFO')[0]).toMatch(/^The wait for brokers ended after \d+\.\d s: answering again\.$/)
    } finally {
      await producer.disconnect({ timeoutMs: 0 })
      await cluster.close({ clients: 'may-stay' })
    }
  })
})
