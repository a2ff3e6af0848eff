/**
 * A fault of every kind that can be scripted: each counter says what the script did, and the series that it changes stood at 0 in the
 * scrape before, so that `increase()` sees the first burst. With the label `topic`, whose series begin with the topic's first use.
 */
import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import {
  changed,
  dropAfterApply,
  dropBeforeApply,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  errorCode,
  hang,
  hold,
} from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { MetricsOptions } from '../../src/metrics/options.js'
import { KNOWN_CODES, errorCode as kafkaError } from '../../src/protocol/errorCodes.js'

const PREFIX = 'kafka_resilient_producer_'
const RECORDS = 3

let cluster: EmbeddedKafka
let producer: ResilientProducer
let registry: Registry
afterEach(async () => {
  await producer.disconnect({ timeoutMs: 0 })
  await cluster.close({ clients: 'may-stay' })
})

const connect = async (
  options: ResilientProducerOptions = {},
  labels: MetricsOptions = { topicLabel: 'all', topicMetrics: 'all' },
): Promise<void> => {
  registry = new Registry()
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  producer = createResilientProducer(kafka, {
    retry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
    metadataRetry: { minTimeoutMs: 1, maxTimeoutMs: 5 },
    metrics: { registry, ...labels },
    ...options,
  })
  await producer.connect()
}

const start = async (
  options: ResilientProducerOptions = {},
  clusterOptions: EmbeddedKafkaOptions = {},
): Promise<void> => {
  cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false, ...clusterOptions })
  cluster.createTopic('t', { partitions: 1 })
  await connect(options)
  await send('t', 1)
}

const records = (count = RECORDS, more: object = {}) =>
  Array.from({ length: count }, () => ({ value: 'x', ...more }))
const send = (topic = 't', count = RECORDS, more: object = {}): Promise<unknown> =>
  producer.send({ topic, messages: records(count, more) })
const settled = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {})
const produced = (): number => cluster.journal.of('Produce').length

type Samples = ReadonlyMap<string, number>
/** All counters and counts of histograms. */
const scrape = async (): Promise<Samples> => {
  const samples = new Map<string, number>()
  for (const metric of registry.getMetricsAsArray()) {
    const { type, values } = await (metric as unknown as { get(): Promise<Exposed> }).get()
    if (type === 'gauge') continue
    for (const { metricName, labels, value } of values) {
      if (type === 'histogram' && !metricName!.endsWith('_count')) continue
      const name = (metricName ?? (metric as { name: string }).name).slice(PREFIX.length)
      const shown = Object.entries(labels).map(([label, its]) => `${label}=${its}`)
      samples.set(`${name} ${shown.join(' ')}`.trim(), value)
    }
  }
  return samples
}
interface Exposed {
  readonly type: string
  readonly values: readonly { metricName?: string; labels: Record<string, string>; value: number }[]
}

const NOISE =
  /^(metadata_refresh|metadata_retries|batch_|compression|queue_|request_seconds|delivery_|buffer_wait|topic_wait|producer_ids|epoch)/
/** What `work` adds to the counters; fails where a series was not there before. Those of every request are left out; a broker's begin with it. */
const increases = async (work: () => Promise<unknown>, noise = NOISE): Promise<Record<string, number>> => {
  const before = await scrape()
  await work()
  const after = await scrape()
  const changed = [...after].filter(([name, value]) => value !== (before.get(name) ?? 0))
  const isBorn = (name: string) => before.has(name) || / broker=/.test(name)
  expect(
    changed.map(([name]) => name).filter(name => !isBorn(name)),
    'series born with their first burst',
  ).toEqual([])
  return Object.fromEntries(
    changed
      .filter(([name]) => !noise.test(name))
      .map(([name, value]) => [name, Math.round((value - (before.get(name) ?? 0)) * 1000) / 1000]),
  )
}

const CODES = KNOWN_CODES.filter(code => code !== 0)
const WITHOUT_TOPICS = { topicLabel: 'off' } as const

describe('each of Kafka’s error codes in an answer to Produce', () => {
  test('is a retry for that reason, or a failure, of as many records as the request had', async () => {
    cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false })
    const wrong: string[] = []
    for (const code of CODES) {
      const topic = `code-${code}`
      cluster.createTopic(topic, { partitions: 1 })
      await connect({ retry: { retries: 3, minTimeoutMs: 1, maxTimeoutMs: 2 } }, WITHOUT_TOPICS)
      await send(topic, 1)
      const from = produced()
      cluster.on('Produce', errorCode(code), { topic, times: 1 })
      let failed = 0
      const grown = await increases(() => send(topic).catch(() => void (failed = RECORDS)))
      const sum = (name: string) =>
        Object.entries(grown)
          .filter(([each]) => each.startsWith(name))
          .reduce((total, [, value]) => total + value, 0)
      const { type } = kafkaError(code)
      const isRetried = produced() - from > 1
      const isRight =
        (grown.records_sent_total ?? 0) === RECORDS - failed &&
        sum('records_failed_total') === failed &&
        // Where a batch is divided, each record goes in one of its parts.
        sum('record_retries_total') === (isRetried ? RECORDS : 0) &&
        (!isRetried || grown[`record_retries_total reason=${type}`] === RECORDS)
      if (!isRight) wrong.push(`${code} ${type}: ${JSON.stringify({ isRetried, failed, ...grown })}`)
      await producer.disconnect({ timeoutMs: 0 })
    }
    expect(wrong).toEqual([])
  }, 120_000)
})

describe('each of Kafka’s error codes for a topic in an answer to Metadata', () => {
  test('is a retry for that reason, or a failure', async () => {
    cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false })
    const wrong: string[] = []
    for (const code of CODES) {
      const topic = `code-${code}`
      cluster.createTopic(topic, { partitions: 1 })
      await connect({ topics: { create: 'never', waitForMs: 60_000 } }, WITHOUT_TOPICS)
      cluster.on('Metadata', errorCode(code), { topic, times: 1 })
      let failed = 0
      const grown = await increases(
        () => send(topic).catch(() => void (failed = RECORDS)),
        /^(metadata_refresh|batch_|compression|queue_|request_seconds|delivery_|buffer_wait|topic_wait|producer_ids)/,
      )
      const { type } = kafkaError(code)
      const retries = Object.entries(grown).filter(([name]) => name.startsWith('metadata_retries_total'))
      const isRight =
        (grown.records_sent_total ?? 0) === RECORDS - failed &&
        (failed > 0 || retries.every(([name]) => name === `metadata_retries_total error=${type}`))
      if (!isRight) wrong.push(`${code} ${type}: ${JSON.stringify({ failed, ...grown })}`)
      await producer.disconnect({ timeoutMs: 0 })
    }
    expect(wrong).toEqual([])
  }, 120_000)
})

describe('a fault is counted as often as it happened', () => {
  test('acknowledgements that are lost: retried, and sent once', async () => {
    await start()
    cluster.on('Produce', dropAfterApply, { times: 2 })
    const grown = await increases(() => send())
    expect(grown).toEqual({
      'records_sent_total topic=t': RECORDS,
      'record_retries_total topic=t reason=KafkaJSConnectionError': 2 * RECORDS,
      'requests_lost_total broker=0': 2,
      'connects_total broker=0 outcome=ok': 2,
    })
    expect(cluster.records('t', 0)).toHaveLength(1 + RECORDS)
  })

  test('retries that are used up', async () => {
    await start({ retry: { retries: 2, minTimeoutMs: 1, maxTimeoutMs: 1 } })
    cluster.on('Produce', errorCode(19), { times: Infinity })
    expect(await increases(() => settled(send()))).toEqual({
      'records_failed_total topic=t error=DeliveryRetriesExceededError': RECORDS,
      'record_retries_total topic=t reason=NOT_ENOUGH_REPLICAS': 2 * RECORDS,
    })
  })

  test('a leader that moves', async () => {
    await start({}, { brokers: 2 })
    cluster.createTopic('moves', { partitions: 1, replicationFactor: 2 })
    cluster.moveLeader('moves', 0, 0)
    await send('moves', 1)
    const from = produced()
    cluster.moveLeader('moves', 0, 1)
    const grown = await increases(() => send('moves'))
    expect(produced() - from).toBe(2)
    expect(grown).toMatchObject({
      'records_sent_total topic=moves': RECORDS,
      'record_retries_total topic=moves reason=NOT_LEADER_OR_FOLLOWER': RECORDS,
    })
  })

  test('records out of time in flight, whose answer comes later: failed, not sent', async () => {
    await start({ deliveryTimeoutMs: 300, ackTimeoutMs: 100, requestTimeoutMs: 5_000 })
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const grown = await increases(async () => {
      await settled(send())
      gate.open()
      await send('t', 1)
    })
    expect(grown).toEqual({
      'records_failed_total topic=t error=DeliveryTimeoutError': RECORDS,
      'records_sent_total topic=t': 1,
    })
  })

  test('calls that are aborted', async () => {
    await start()
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    const grown = await increases(async () => {
      const first = send('t', 1)
      await gate.arrived
      const abort = new AbortController()
      const call = { topic: 't', messages: records(), signal: abort.signal }
      const aborted = settled(producer.send(call))
      abort.abort()
      await aborted
      gate.open()
      await first
    })
    expect(grown).toEqual({
      'records_failed_total topic=t error=SendAbortedError': RECORDS,
      'records_sent_total topic=t': 1,
    })
  })

  test('a disconnect that leaves records behind', async () => {
    await start()
    cluster.on('Produce', hang, { times: Infinity })
    const grown = await increases(async () => {
      const sent = settled(send())
      await vi.waitFor(() => expect(produced()).toBe(2))
      await settled(producer.disconnect({ timeoutMs: 10 }))
      await sent
    })
    expect(grown).toMatchObject({ 'records_failed_total topic=t error=ProducerClosedError': RECORDS })
    expect(grown).not.toHaveProperty('records_sent_total topic=t')
  })

  test('a batch of which a part fails, each topic with its own', async () => {
    await start()
    cluster.createTopic('denied')
    await send('denied', 1)
    cluster.deny('denied')
    const topicMessages = ['t', 'denied'].map(topic => ({ topic, messages: records() }))
    const grown = await increases(() => settled(producer.sendBatch({ topicMessages })))
    expect(grown).toEqual({
      'records_sent_total topic=t': RECORDS,
      'records_failed_total topic=denied error=TopicAuthorizationError': RECORDS,
    })
  })

  test('enqueue and a stream, by their records', async () => {
    await start()
    cluster.on('Produce', errorCode(87), { topic: 't', times: 2 })
    const grown = await increases(async () => {
      producer.enqueue('t', { value: 'x' }, () => {})
      await producer.flush()
      await new Promise<void>(resolve => {
        producer.writable({ onError: () => {} }).end({ topic: 't', value: 'x' }, resolve)
      })
      producer.enqueue('t', { value: 'x' })
      await producer.flush()
    })
    expect(grown).toEqual({
      'records_failed_total topic=t error=RecordRejectedError': 2,
      'records_sent_total topic=t': 1,
    })
  })

  test('a batch that is halved until a record is too large', async () => {
    await start()
    cluster.on('Produce', errorCode(10), { times: Infinity })
    const grown = await increases(() => settled(send('t', 4)))
    expect(grown).toEqual({
      'records_failed_total topic=t error=RecordTooLargeError': 4,
      'batches_split_total topic=t': 3,
      'record_retries_total topic=t reason=MESSAGE_TOO_LARGE': produced() - 2 > 0 ? 8 : 0,
    })
  })

  test('a partition that is not there, and a buffer that stays full', async () => {
    await start({ bufferBytes: 20_000, maxBlockMs: 50 })
    expect(await increases(() => settled(send('t', 1, { partition: 9 })))).toEqual({
      'records_failed_total topic=t error=PartitionNotFoundError': 1,
    })
    const gate = cluster.gate()
    cluster.on('Produce', hold(gate), { times: 1 })
    let refused = 0
    const grown = await increases(async () => {
      const value = Buffer.alloc(900)
      const sends = Array.from({ length: 40 }, () =>
        producer.send({ topic: 't', messages: [{ value }] }).catch(() => void refused++),
      )
      await vi.waitFor(() => expect(refused).toBeGreaterThan(5))
      gate.open()
      await Promise.all(sends)
    })
    expect(grown).toEqual({
      'records_sent_total topic=t': 40 - refused,
      'records_failed_total topic=t error=BufferFullError': refused,
    })
  })

  test('throttles, in seconds', async () => {
    await start()
    const throttled = changed<never, { throttleTimeMs: number }>(answer => ({
      ...answer,
      throttleTimeMs: 40,
    }))
    cluster.on('Produce', throttled as never, { times: 2 })
    const grown = await increases(async () => {
      await send()
      await send()
    })
    expect(grown).toEqual({
      'records_sent_total topic=t': 2 * RECORDS,
      'throttle_seconds_total broker=0': 0.08,
    })
  })

  test('acks 0', async () => {
    await start({ idempotent: false })
    const call = { topic: 't', messages: records(), acks: 0 }
    expect(await increases(() => producer.send(call))).toEqual({ 'records_sent_total topic=t': RECORDS })
  })

  test('metadata requests, as many as brokers were asked', async () => {
    await start({ topics: { create: 'never', waitForMs: 60_000 } })
    const total = async () =>
      [...(await scrape())]
        .filter(([name]) => name.startsWith('metadata_refreshes_total'))
        .reduce((sum, [, value]) => sum + value, 0)
    expect(await total()).toBe(cluster.journal.of('Metadata').length)
    cluster.on('Metadata', errorCode(7), { times: 3 })
    const sent = send('late')
    await vi.waitFor(() => expect(cluster.journal.of('Metadata').length).toBeGreaterThan(6))
    cluster.createTopic('late', { partitions: 1 })
    await sent
    await vi.waitFor(async () => expect(await total()).toBe(cluster.journal.of('Metadata').length))
  })

  test('connections that are refused until they are not', async () => {
    await start({}, { brokers: 2 })
    cluster.createTopic('far', { partitions: 1, replicationFactor: 1 })
    cluster.moveLeader('far', 0, 1)
    await send('far', 1)
    const grown = await increases(async () => {
      await cluster.stopBroker(1)
      cluster.moveLeader('far', 0, 1)
      const sent = send('far')
      await vi.waitFor(async () =>
        expect((await scrape()).get('connects_total broker=1 outcome=failed')).toBeGreaterThan(1),
      )
      await cluster.startBroker(1)
      await sent
    })
    expect(grown).toMatchObject({
      'records_sent_total topic=far': RECORDS,
      'connects_total broker=1 outcome=ok': 1,
      'connects_total broker=1 outcome=failed': expect.any(Number),
    })
  })

  test('a request that is lost before it is read', async () => {
    await start()
    cluster.on('Produce', dropBeforeApply, { times: 3 })
    expect(await increases(() => send())).toEqual({
      'records_sent_total topic=t': RECORDS,
      'record_retries_total topic=t reason=KafkaJSConnectionError': 3 * RECORDS,
      'requests_lost_total broker=0': 3,
      'connects_total broker=0 outcome=ok': 3,
    })
  })
})
