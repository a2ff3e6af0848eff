import { readFileSync } from 'node:fs'
import prom from 'prom-client'
import { describe, expect, it } from 'vitest'
import * as errors from '../../../src/errors/index.js'
import { InvalidOptionsError } from '../../../src/errors/index.js'
import { DEFINITIONS } from '../../../src/metrics/definitions.js'
import type { ProducerLevels } from '../../../src/metrics/observer.js'
import {
  METADATA_ERRORS,
  RECORD_ERRORS,
  RETRY_REASONS,
  TOPIC_ERRORS,
  TOPIC_RETRY_REASONS,
} from '../../../src/metrics/prometheus/knownValues.js'
import { createPrometheusObserver } from '../../../src/metrics/prometheus/prometheusObserver.js'
import { errorCode, KNOWN_CODES } from '../../../src/protocol/errorCodes.js'
import { WAIT_KINDS } from '../../../src/waits/wait.js'

/** The samples of a scrape, as `name{labels}` to value; the order of labels is that of the text. */
const scrape = async (registry: { metrics(): Promise<string> }): Promise<Map<string, number>> => {
  const samples = new Map<string, number>()
  for (const line of (await registry.metrics()).split('\n')) {
    const match = /^(?!#)(\S+?(?:\{.*\})?) (\S+)$/.exec(line)
    if (match) samples.set(match[1]!, Number(match[2]))
  }
  return samples
}

const levels = (some: Partial<ProducerLevels>): ProducerLevels => ({
  bufferedRecords: 0,
  bufferedBytes: 0,
  bufferLimitBytes: 0,
  topicsWaiting: 0,
  requestsInFlight: 0,
  recordsWaiting: new Map(),
  oldestRecordMs: 0,
  partitionsWithoutLeader: 0,
  metadataAgeMs: 0,
  connections: new Map(),
  ...some,
})

const openMetricsRegistry = (): prom.Registry<prom.OpenMetricsContentType> => {
  const registry = new prom.Registry<prom.OpenMetricsContentType>()
  registry.setContentType(prom.openMetricsContentType as prom.OpenMetricsContentType)
  return registry
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }

const P = 'kafka_resilient_producer_'

describe('the metrics', () => {
  it('are those of the design, with their types and labels', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry })
    const table = registry.getMetricsAsArray().map(metric => {
      const { name, type, labelNames } = metric as unknown as {
        name: string
        type: string
        labelNames: string[]
      }
      return `${name.slice(P.length)} ${type} {${labelNames}}`
    })
    expect(table).toEqual([
      'records_sent_total counter {}',
      'records_failed_total counter {error}',
      'records_aborted_total counter {}',
      'record_retries_total counter {reason}',
      'records_waiting gauge {for}',
      'oldest_record_seconds gauge {}',
      'metadata_refreshes_total counter {trigger,outcome}',
      'metadata_retries_total counter {error}',
      'metadata_refresh_seconds histogram {}',
      'topic_wait_seconds histogram {outcome}',
      'metadata_age_seconds gauge {}',
      'partitions_without_leader gauge {}',
      'topics_waiting gauge {}',
      'topics_created_total counter {by}',
      'buffered_records gauge {}',
      'buffered_bytes gauge {}',
      'buffer_limit_bytes gauge {}',
      'buffer_wait_seconds histogram {}',
      'batches_split_total counter {}',
      'batch_records histogram {}',
      'batch_bytes histogram {}',
      'compression_ratio histogram {}',
      'queue_seconds histogram {}',
      'request_seconds histogram {broker}',
      'requests_lost_total counter {broker}',
      'throttle_seconds_total counter {broker}',
      'connects_total counter {broker,outcome}',
      'connections gauge {broker}',
      'requests_in_flight gauge {}',
      'delivery_seconds histogram {}',
      'producer_ids_total counter {}',
      'epoch_bumps_total counter {}',
      'transactions_begun_total counter {}',
      'transactions_ended_total counter {outcome}',
      'transaction_seconds histogram {outcome}',
      'build_info gauge {version,node}',
    ])
  })

  it('count a sequence of events', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    observer.metadataRefreshed('connect', 'ok', 4)
    observer.metadataRefreshed('topic', 'partial', 20)
    observer.metadataRetried('orders', 'UNKNOWN_TOPIC_OR_PARTITION')
    observer.metadataRetried('orders', 'LEADER_NOT_AVAILABLE')
    observer.metadataRetried('users', 'LEADER_NOT_AVAILABLE')
    observer.topicWaited('orders', 'available', 300)
    observer.topicWaited('users', 'failed', 30_000)
    observer.topicCreated('orders', 'broker', 'id-1')
    observer.topicCreated('orders', 'admin', undefined)
    observer.topicCreated('users', 'admin', undefined)
    observer.bufferWaited(45)
    observer.batchSent('orders', 10, 1_000, 4_000, 2)
    observer.recordsRetried('orders', 10, 'NOT_LEADER_OR_FOLLOWER')
    observer.requestEnded(1, 7)
    observer.batchDelivered('orders', 10, 9)
    observer.recordsSent('orders', 10)
    observer.recordsFailed('users', 3, 'UnknownTopicError')
    observer.recordsAborted('orders', 4)
    observer.batchSplit('orders')
    observer.requestLost(1)
    observer.throttled(2, 1_500)
    observer.connectEnded(1, 'ok')
    observer.connectEnded(2, 'failed')
    observer.connectEnded(2, 'authentication_failed')
    observer.producerIdObtained()
    observer.epochBumped()
    observer.transactionBegun()
    observer.transactionEnded('committed', 250)
    observer.watchLevels(() =>
      levels({
        bufferedRecords: 11,
        bufferedBytes: 2_200,
        bufferLimitBytes: 32_000,
        topicsWaiting: 2,
        requestsInFlight: 4,
        recordsWaiting: new Map([['leader', 7]]),
        oldestRecordMs: 1_250,
        partitionsWithoutLeader: 3,
        metadataAgeMs: 60_000,
        connections: new Map([
          [1, 1],
          [2, 0],
        ]),
      }),
    )

    const samples = await scrape(registry)
    const expected: Record<string, number> = {
      'metadata_refreshes_total{trigger="connect",outcome="ok"}': 1,
      'metadata_refreshes_total{trigger="topic",outcome="partial"}': 1,
      'metadata_refreshes_total{trigger="age",outcome="failed"}': 0,
      metadata_refresh_seconds_sum: 0.024,
      metadata_refresh_seconds_count: 2,
      'metadata_refresh_seconds_bucket{le="0.0025"}': 0,
      'metadata_refresh_seconds_bucket{le="0.005"}': 1,
      'metadata_refresh_seconds_bucket{le="120"}': 2,
      'metadata_retries_total{error="UNKNOWN_TOPIC_OR_PARTITION"}': 1,
      'metadata_retries_total{error="LEADER_NOT_AVAILABLE"}': 2,
      'topic_wait_seconds_sum{outcome="available"}': 0.3,
      'topic_wait_seconds_sum{outcome="failed"}': 30,
      'topics_created_total{by="broker"}': 1,
      'topics_created_total{by="admin"}': 2,
      buffer_wait_seconds_sum: 0.045,
      batch_records_sum: 10,
      batch_bytes_sum: 1_000,
      'batch_bytes_bucket{le="256"}': 0,
      'batch_bytes_bucket{le="1024"}': 1,
      compression_ratio_sum: 4,
      'compression_ratio_bucket{le="3"}': 0,
      'compression_ratio_bucket{le="4"}': 1,
      queue_seconds_sum: 0.002,
      'record_retries_total{reason="NOT_LEADER_OR_FOLLOWER"}': 10,
      'request_seconds_sum{broker="1"}': 0.007,
      'request_seconds_count{broker="1"}': 1,
      'request_seconds_count{broker="2"}': 0,
      records_aborted_total: 4,
      batches_split_total: 1,
      'requests_lost_total{broker="1"}': 1,
      'requests_lost_total{broker="2"}': 0,
      'throttle_seconds_total{broker="2"}': 1.5,
      'connects_total{broker="1",outcome="ok"}': 1,
      'connects_total{broker="1",outcome="failed"}': 0,
      'connects_total{broker="2",outcome="failed"}': 1,
      'connects_total{broker="2",outcome="authentication_failed"}': 1,
      'connections{broker="1"}': 1,
      'connections{broker="2"}': 0,
      producer_ids_total: 1,
      epoch_bumps_total: 1,
      transactions_begun_total: 1,
      'transactions_ended_total{outcome="committed"}': 1,
      'transactions_ended_total{outcome="aborted"}': 0,
      'transaction_seconds_sum{outcome="committed"}': 0.25,
      buffer_limit_bytes: 32_000,
      'records_waiting{for="leader"}': 7,
      'records_waiting{for="quota"}': 0,
      oldest_record_seconds: 1.25,
      partitions_without_leader: 3,
      metadata_age_seconds: 60,
      [`build_info{version="${version}",node="${process.version}"}`]: 1,
      delivery_seconds_sum: 0.009,
      delivery_seconds_count: 1,
      records_sent_total: 10,
      'records_failed_total{error="UnknownTopicError"}': 3,
      topics_waiting: 2,
      buffered_records: 11,
      buffered_bytes: 2_200,
      requests_in_flight: 4,
    }
    expect(Object.fromEntries(Object.keys(expected).map(name => [name, samples.get(P + name)]))).toEqual(
      expected,
    )
    const covered = Object.keys(expected)
    for (const { name } of Object.values(DEFINITIONS)) {
      expect(
        covered.some(each => each.startsWith(name)),
        `${name} is asserted above`,
      ).toBe(true)
    }
  })

  it('reach from 1 ms to 120 s', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    observer.requestEnded(1, 1)
    observer.requestEnded(1, 120_000)
    observer.requestEnded(1, 120_001)
    const samples = await scrape(registry)
    expect(samples.get(`${P}request_seconds_bucket{le="0.001",broker="1"}`)).toBe(1)
    expect(samples.get(`${P}request_seconds_bucket{le="120",broker="1"}`)).toBe(2)
    expect(samples.get(`${P}request_seconds_bucket{le="+Inf",broker="1"}`)).toBe(3)
  })

  it('take a batch without bytes for no ratio', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry }).batchSent('orders', 0, 0, 0, 0)
    expect((await scrape(registry)).get(`${P}compression_ratio_count`)).toBe(0)
  })

  it('go to the global registry of prom-client and the default prefix when none is given', async () => {
    try {
      createPrometheusObserver().recordsSent('orders', 2)
      expect((await scrape(prom.register)).get(`${P}records_sent_total`)).toBe(2)
    } finally {
      prom.register.clear()
    }
  })

  it('carry the prefix asked for', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry, prefix: 'shop:kafka_' }).recordsSent('orders', 2)
    expect((await scrape(registry)).get('shop:kafka_records_sent_total')).toBe(2)
  })

  it('work on an OpenMetrics registry, scrape after scrape', async () => {
    const registry = openMetricsRegistry()
    const observer = createPrometheusObserver({ registry })
    observer.recordsSent('orders', 5)
    observer.requestEnded(1, 3)
    const first = await registry.metrics()
    expect(first).toContain(`# TYPE ${P}records_sent counter\n`)
    expect(first).toMatch(/# EOF\n$/)
    createPrometheusObserver({ registry }).recordsSent('orders', 1)
    observer.recordsSent('orders', 1)
    expect((await scrape(registry)).get(`${P}records_sent_total`)).toBe(7)
  })
})

describe('the label topic', () => {
  it('is absent unless asked for', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    observer.recordsSent('orders', 1)
    observer.recordsFailed('orders', 1, 'INVALID_RECORD')
    expect(await registry.metrics()).not.toContain('orders')
  })

  it('stands on every metric that is about a topic where all are asked for', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all', topicMetrics: 'all' })
    observer.recordsSent('orders', 1)
    observer.recordsFailed('orders', 2, 'INVALID_RECORD')
    observer.recordsRetried('orders', 3, 'REQUEST_TIMED_OUT')
    observer.metadataRetried('orders', 'LEADER_NOT_AVAILABLE')
    observer.topicWaited('orders', 'available', 10)
    observer.topicCreated('orders', 'broker', 'id-1')
    observer.batchSent('orders', 4, 100, 100, 1)
    observer.batchDelivered('orders', 4, 5)
    const samples = await scrape(registry)
    const values = Object.entries({
      'records_sent_total{topic="orders"}': 1,
      'records_failed_total{topic="orders",error="INVALID_RECORD"}': 2,
      'record_retries_total{topic="orders",reason="REQUEST_TIMED_OUT"}': 3,
      'metadata_retries_total{topic="orders",error="LEADER_NOT_AVAILABLE"}': 1,
      'topic_wait_seconds_count{topic="orders",outcome="available"}': 1,
      'topics_created_total{topic="orders",by="broker"}': 1,
      'batch_records_sum{topic="orders"}': 4,
      'batch_bytes_sum{topic="orders"}': 100,
      'compression_ratio_sum{topic="orders"}': 1,
      'queue_seconds_sum{topic="orders"}': 0.001,
      'delivery_seconds_sum{topic="orders"}': 0.005,
    })
    for (const [name, value] of values) expect(samples.get(P + name), name).toBe(value)
  })

  it('is capped: further topics are counted together', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all', maxTopics: 2 })
    for (const topic of ['a', 'b', 'c', 'd', 'a', 'c']) observer.recordsSent(topic, 1)
    const samples = await scrape(registry)
    const sent = [...samples].filter(([name]) => name.startsWith(`${P}records_sent_total`))
    expect(sent).toEqual([
      [`${P}records_sent_total{topic="a"}`, 2],
      [`${P}records_sent_total{topic="b"}`, 1],
      [`${P}records_sent_total{topic="other"}`, 3],
    ])
  })

  it('has one cap for producers that share the metrics', async () => {
    const registry = new prom.Registry()
    const options = { registry, topicLabel: 'all', maxTopics: 2 } as const
    const one = createPrometheusObserver(options)
    const two = createPrometheusObserver(options)
    one.recordsSent('a', 1)
    two.recordsSent('b', 1)
    one.recordsSent('c', 1)
    two.recordsSent('a', 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total{topic="a"}`)).toBe(2)
    expect(samples.get(`${P}records_sent_total{topic="b"}`)).toBe(1)
    expect(samples.get(`${P}records_sent_total{topic="other"}`)).toBe(1)
  })

  it('shows the topics of a list, however many others there are', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: ['orders', 'users'], maxTopics: 1 })
    for (const topic of ['x', 'orders', 'y', 'users', 'z']) observer.recordsSent(topic, 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total{topic="orders"}`)).toBe(1)
    expect(samples.get(`${P}records_sent_total{topic="users"}`)).toBe(1)
    expect(samples.get(`${P}records_sent_total{topic="other"}`)).toBe(3)
  })

  it('cannot forge a line: a name is data', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all' })
    observer.recordsSent('a"} 1\nforged_total{x="\\', 7)
    const text = await registry.metrics()
    expect(text).toContain(`${P}records_sent_total{topic="a\\"} 1\\nforged_total{x=\\"\\\\"} 7`)
    expect(text.split('\n').some(line => line.startsWith('forged_total'))).toBe(false)
    expect(text.split('\n').filter(line => line.startsWith('# HELP') && line.includes('forged'))).toEqual([])
  })
})

describe('a topic that does not exist', () => {
  it('has a place only until one that exists needs it', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all', maxTopics: 3 })
    observer.recordsSent('a', 1)
    for (const topic of ['typo-1', 'typo-2', 'typo-3']) observer.recordsFailed(topic, 1, 'UnknownTopicError')
    const before = await scrape(registry)
    expect(before.get(`${P}records_failed_total{topic="typo-1",error="UnknownTopicError"}`)).toBe(1)
    expect(before.get(`${P}records_failed_total{topic="other",error="UnknownTopicError"}`)).toBe(1)
    observer.recordsSent('b', 2)
    observer.recordsSent('c', 3)
    observer.recordsSent('d', 4)
    const after = await scrape(registry)
    expect(after.get(`${P}records_sent_total{topic="b"}`)).toBe(2)
    expect(after.get(`${P}records_sent_total{topic="c"}`)).toBe(3)
    expect(after.get(`${P}records_sent_total{topic="other"}`)).toBe(4)
    expect([...after.keys()].filter(name => name.includes('typo'))).toEqual([])
  })

  it('keeps its place once it exists', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({
      registry,
      topicLabel: 'all',
      topicMetrics: 'all',
      maxTopics: 1,
    })
    observer.metadataRetried('late', 'UNKNOWN_TOPIC_OR_PARTITION')
    observer.topicWaited('late', 'available', 10)
    observer.recordsSent('another', 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}metadata_retries_total{topic="late",error="UNKNOWN_TOPIC_OR_PARTITION"}`)).toBe(1)
    expect(samples.get(`${P}records_sent_total{topic="other"}`)).toBe(1)
  })
})

describe('the option topicMetrics', () => {
  it('says which metrics carry the label topic', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({
      registry,
      topicLabel: 'all',
      topicMetrics: ['records_sent_total'],
    })
    for (const topic of ['a', 'b']) {
      observer.recordsSent(topic, 1)
      observer.recordsFailed(topic, 1, 'UnknownTopicError')
      observer.batchDelivered(topic, 1, 5)
    }
    const text = await registry.metrics()
    const labelled = text.split('\n').filter(line => line.includes('topic="a"'))
    expect(labelled).toEqual([`${P}records_sent_total{topic="a"} 1`])
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_failed_total{error="UnknownTopicError"}`)).toBe(2)
    expect(samples.get(`${P}delivery_seconds_count`)).toBe(2)
  })
})

describe('a topic’s first burst', () => {
  it('of any error or reason that a topic can meet is an increase: its series stood at 0 before', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all' })
    observer.recordsSent('orders', 1)
    const before = await scrape(registry)
    for (const error of TOPIC_ERRORS) observer.recordsFailed('orders', 1000, error)
    for (const reason of TOPIC_RETRY_REASONS) observer.recordsRetried('orders', 1000, reason)
    const after = await scrape(registry)
    const names = [
      ...TOPIC_ERRORS.map(error => `${P}records_failed_total{topic="orders",error="${error}"}`),
      ...TOPIC_RETRY_REASONS.map(reason => `${P}record_retries_total{topic="orders",reason="${reason}"}`),
    ]
    expect(names.map(name => [before.get(name), after.get(name)])).toEqual(names.map(() => [0, 1000]))
  })

  it('of another error is counted under its name', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all' })
    const others = RECORD_ERRORS.filter(error => !TOPIC_ERRORS.includes(error))
    for (const error of others) observer.recordsFailed('orders', 7, error)
    const samples = await scrape(registry)
    for (const error of others)
      expect(samples.get(`${P}records_failed_total{topic="orders",error="${error}"}`), error).toBe(7)
  })
})

describe('the label client_id', () => {
  it('stands on every metric where it is given', async () => {
    const registry = new prom.Registry()
    const one = createPrometheusObserver({ registry, clientId: 'one' })
    const two = createPrometheusObserver({ registry, clientId: 'two' })
    one.recordsSent('a', 1)
    two.recordsSent('a', 2)
    one.watchLevels(() => levels({ bufferedRecords: 3 }))
    two.watchLevels(() => levels({ bufferedRecords: 4 }))
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total{client_id="one"}`)).toBe(1)
    expect(samples.get(`${P}records_sent_total{client_id="two"}`)).toBe(2)
    expect(samples.get(`${P}buffered_records{client_id="two"}`)).toBe(4)
    expect([...samples.keys()].filter(name => !name.includes('client_id'))).toEqual([])
  })
})

describe('series whose labels are known beforehand', () => {
  it('stand at 0 from the start: a rate sees their first increase', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry }).watchLevels(() => levels({}))
    const samples = await scrape(registry)
    for (const error of RECORD_ERRORS)
      expect(samples.get(`${P}records_failed_total{error="${error}"}`), error).toBe(0)
    for (const reason of RETRY_REASONS)
      expect(samples.get(`${P}record_retries_total{reason="${reason}"}`), reason).toBe(0)
    for (const error of METADATA_ERRORS)
      expect(samples.get(`${P}metadata_retries_total{error="${error}"}`), error).toBe(0)
    for (const kind of WAIT_KINDS) expect(samples.get(`${P}records_waiting{for="${kind}"}`), kind).toBe(0)
    const withoutSeries = Object.values(DEFINITIONS)
      .filter(({ name }) => ![...samples.keys()].some(each => each.startsWith(P + name)))
      .map(({ name }) => name)
    // A broker's begin when it is first heard of.
    expect(withoutSeries).toEqual([
      'request_seconds',
      'requests_lost_total',
      'throttle_seconds_total',
      'connects_total',
      'connections',
    ])
  })

  it('are all errors that records end with, and all of Kafka’s retriable codes', () => {
    const { DeliveryTimeoutError, SendError, UnknownTopicError } = errors
    for (const { name } of [DeliveryTimeoutError, UnknownTopicError]) expect(RECORD_ERRORS).toContain(name)
    expect(RECORD_ERRORS).not.toContain(SendError.name)
    expect(RECORD_ERRORS.filter(name => !/^[A-Z]\w+Error$/.test(name))).toEqual([])
    const retriable = KNOWN_CODES.map(errorCode).filter(code => code.retriable)
    for (const { type } of retriable) {
      expect(RETRY_REASONS).toContain(type)
      expect(METADATA_ERRORS).toContain(type)
    }
  })
})

describe('a registry that is cleared under a running producer', () => {
  it('gets the metrics back with the next report, and none has lost its count', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    observer.watchLevels(() => levels({ bufferedRecords: 5 }))
    observer.recordsSent('a', 3)
    registry.clear()
    observer.recordsSent('a', 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total`)).toBe(4)
    expect(samples.get(`${P}buffered_records`)).toBe(5)
  })
})

describe('the creation of a topic', () => {
  it('is counted once, however many producers waited for it', async () => {
    const registry = new prom.Registry()
    const [one, two] = [createPrometheusObserver({ registry }), createPrometheusObserver({ registry })]
    one.topicCreated('a', 'broker', 'id-1')
    two.topicCreated('a', 'broker', 'id-1')
    two.topicCreated('a', 'broker', 'id-2')
    one.topicCreated('b', 'broker', undefined)
    two.topicCreated('b', 'broker', undefined)
    expect((await scrape(registry)).get(`${P}topics_created_total{by="broker"}`)).toBe(3)
  })
})

describe('the labels error and reason', () => {
  it('take types, not message text', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    observer.recordsFailed('orders', 1, 'connect ECONNREFUSED 10.0.0.1:9092')
    observer.recordsRetried('orders', 2, '')
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_failed_total{error="other"}`)).toBe(1)
    expect(samples.get(`${P}record_retries_total{reason="other"}`)).toBe(2)
  })

  it('cannot grow without bound', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry })
    for (let code = 0; code < 1_000; code++) observer.recordsFailed('orders', 1, `ERROR_${code}`)
    const failed = [...(await scrape(registry))].filter(([name]) => name.startsWith(`${P}records_failed`))
    expect(failed).toHaveLength(101)
    expect(failed.reduce((sum, [, value]) => sum + value, 0)).toBe(1_000)
  })
})

describe('two producers on one registry', () => {
  it('share counters and add up gauges; one that ends takes its part away', async () => {
    const registry = new prom.Registry()
    const one = createPrometheusObserver({ registry })
    const two = createPrometheusObserver({ registry })
    one.recordsSent('orders', 1)
    two.recordsSent('orders', 2)
    const endOne = one.watchLevels(() => levels({ bufferedRecords: 10, topicsWaiting: 1 }))
    const endTwo = two.watchLevels(() => levels({ bufferedRecords: 5, requestsInFlight: 3 }))
    const before = await scrape(registry)
    expect(before.get(`${P}records_sent_total`)).toBe(3)
    expect(before.get(`${P}buffered_records`)).toBe(15)
    expect(before.get(`${P}topics_waiting`)).toBe(1)
    expect(before.get(`${P}requests_in_flight`)).toBe(3)

    endOne()
    endOne()
    const after = await scrape(registry)
    expect(after.get(`${P}buffered_records`)).toBe(5)
    expect(after.get(`${P}topics_waiting`)).toBe(0)
    expect(after.get(`${P}records_sent_total`)).toBe(3)

    endTwo()
    expect((await scrape(registry)).get(`${P}buffered_records`)).toBe(0)
  })

  it('with different prefixes keep apart', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry, prefix: 'a_' }).recordsSent('orders', 1)
    createPrometheusObserver({ registry, prefix: 'b_', topicLabel: 'all' }).recordsSent('orders', 2)
    const samples = await scrape(registry)
    expect(samples.get('a_records_sent_total')).toBe(1)
    expect(samples.get('b_records_sent_total{topic="orders"}')).toBe(2)
  })

  it('must agree on the topic label', () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry })
    expect(() => createPrometheusObserver({ registry, topicLabel: 'all' })).toThrow(
      /kafka_resilient_producer_records_sent_total is registered already, with the labels \[\] instead of \[topic\].*metrics\.topicLabel/,
    )
  })
})

describe('a registry that was cleared', () => {
  it('gets new metrics for a new producer', async () => {
    const registry = new prom.Registry()
    createPrometheusObserver({ registry }).recordsSent('orders', 9)
    registry.clear()
    createPrometheusObserver({ registry, topicLabel: 'all' }).recordsSent('orders', 1)
    expect((await scrape(registry)).get(`${P}records_sent_total{topic="orders"}`)).toBe(1)
  })

  it('gets the metrics of a running producer back, so that it is not lost from sight', async () => {
    const registry = openMetricsRegistry()
    const running = createPrometheusObserver({ registry })
    const end = running.watchLevels(() => levels({ bufferedRecords: 4 }))
    running.recordsSent('orders', 9)
    await registry.metrics()
    registry.clear()

    const fresh = createPrometheusObserver({ registry })
    fresh.watchLevels(() => levels({ bufferedRecords: 1 }))
    running.recordsSent('orders', 1)
    fresh.recordsSent('orders', 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total`)).toBe(11)
    expect(samples.get(`${P}buffered_records`)).toBe(5)
    end()
    expect((await scrape(registry)).get(`${P}buffered_records`)).toBe(1)
  })

  it('that was only reset has its series at 0, so that the next burst is an increase', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all' })
    observer.recordsFailed('orders', 5, 'UnknownTopicError')
    observer.requestEnded(1, 1)
    const names = [...(await scrape(registry)).keys()]
    registry.resetMetrics()
    const samples = await scrape(registry)
    expect([...samples.keys()]).toEqual(names)
    const nonzero = [...samples].filter(([, value]) => value !== 0)
    expect(nonzero).toEqual([])
    observer.recordsFailed('orders', 2, 'UnknownTopicError')
    expect(
      (await scrape(registry)).get(`${P}records_failed_total{topic="orders",error="UnknownTopicError"}`),
    ).toBe(2)
  })

  it('that was only reset counts on', async () => {
    const registry = new prom.Registry()
    const observer = createPrometheusObserver({ registry, topicLabel: 'all' })
    observer.recordsSent('orders', 9)
    observer.requestEnded(1, 1)
    registry.resetMetrics()
    observer.recordsSent('orders', 1)
    observer.requestEnded(1, 1)
    const samples = await scrape(registry)
    expect(samples.get(`${P}records_sent_total{topic="orders"}`)).toBe(1)
    expect(samples.get(`${P}request_seconds_count{broker="1"}`)).toBe(1)
  })
})

describe('workers of a cluster', () => {
  it('are joined as producers are: sums, and the greatest of ages', async () => {
    const workerJson = async (ageMs: number, records: number) => {
      const registry = new prom.Registry()
      const observer = createPrometheusObserver({ registry })
      observer.recordsSent('orders', records)
      observer.watchLevels(() =>
        levels({ bufferedRecords: records, oldestRecordMs: ageMs, metadataAgeMs: ageMs }),
      )
      return JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()))
    }
    const workers = [await workerJson(2_000, 3), await workerJson(5_000, 4)]
    const samples = await scrape(prom.AggregatorRegistry.aggregate(workers) as prom.Registry)
    expect(samples.get(`${P}records_sent_total`)).toBe(7)
    expect(samples.get(`${P}buffered_records`)).toBe(7)
    expect(samples.get(`${P}oldest_record_seconds`)).toBe(5)
    expect(samples.get(`${P}metadata_age_seconds`)).toBe(5)
    expect(samples.get(`${P}build_info{version="${version}",node="${process.version}"}`)).toBe(1)
  })
})

describe('default labels of a registry', () => {
  it.each([
    ['text', () => new prom.Registry()],
    ['OpenMetrics', openMetricsRegistry],
  ])('stand beside the metrics’ own, which win (%s)', async (_, make) => {
    const registry = make() as prom.Registry
    registry.setDefaultLabels({ service: 's', client_id: 'default', topic: 'default' })
    const [one, two] = ['one', 'two'].map(clientId =>
      createPrometheusObserver({ registry, clientId, topicLabel: 'all' }),
    )
    one!.recordsSent('a', 1)
    two!.recordsSent('a', 2)
    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const text = await registry.metrics()
      const sent = text.split('\n').filter(line => line.startsWith(`${P}records_sent_total{`))
      expect(
        sent.map(line =>
          [...line.matchAll(/(\w+)="(\w+)"/g)].map(([, name, value]) => `${name}=${value}`).sort(),
        ),
      ).toEqual([
        ['client_id=one', 'service=s', 'topic=a'],
        ['client_id=two', 'service=s', 'topic=a'],
      ])
    }
  })
})

describe('exemplars of other metrics', () => {
  it('stand in an OpenMetrics scrape beside ours', async () => {
    const registry = openMetricsRegistry()
    createPrometheusObserver({ registry }).recordsSent('orders', 3)
    const theirs = new prom.Counter({
      name: 'theirs_total',
      help: 'theirs',
      enableExemplars: true,
      registers: [registry],
    } as prom.CounterConfiguration<string>)
    ;(theirs.inc as (one: object) => void)({ value: 2, exemplarLabels: { trace_id: 't' } })
    const text = await registry.metrics()
    expect(text).toMatch(/^theirs_total 2 # \{trace_id="t"\} 2 /m)
    expect(text).toContain(`${P}records_sent_total 3\n`)
  })
})

describe('a metric of somebody else under one of the names', () => {
  const clash = (register: (registry: prom.Registry) => void): InvalidOptionsError => {
    const registry = new prom.Registry()
    register(registry)
    const before = registry.getMetricsAsArray().length
    try {
      createPrometheusObserver({ registry })
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOptionsError)
      expect(registry.getMetricsAsArray(), 'nothing was registered').toHaveLength(before)
      return error as InvalidOptionsError
    }
    throw new Error('the clash was not noticed')
  }

  it('of another type is named with the remedy, each of them', () => {
    const error = clash(registry => {
      for (const name of ['records_sent_total', 'batch_bytes'])
        new prom.Gauge({ name: P + name, help: 'theirs', registers: [registry] })
    })
    expect(error.problems).toHaveLength(2)
    expect(error.problems[0]).toMatch(
      /kafka_resilient_producer_records_sent_total is registered already, as a gauge instead of a counter\. Give another metrics\.prefix or metrics\.registry/,
    )
    expect(error.problems[1]).toContain('kafka_resilient_producer_batch_bytes')
  })

  it('with other labels', () => {
    const error = clash(
      registry =>
        new prom.Counter({
          name: `${P}records_failed_total`,
          help: 'theirs',
          labelNames: ['code'],
          registers: [registry],
        }),
    )
    expect(error.message).toContain('with the labels [code] instead of [error]')
  })

  it('with other buckets', () => {
    const error = clash(
      registry =>
        new prom.Histogram({
          name: `${P}metadata_refresh_seconds`,
          help: 'theirs',
          buckets: [1],
          registers: [registry],
        }),
    )
    expect(error.message).toContain('with other buckets')
  })

  it('a gauge that is not a sum of producers', () => {
    const error = clash(
      registry => new prom.Gauge({ name: `${P}topics_waiting`, help: 'theirs', registers: [registry] }),
    )
    expect(error.message).toContain('topics_waiting is registered already, by other code')
  })

  it('is shared where it is just what is needed: a second copy of this package', async () => {
    const registry = new prom.Registry()
    const theirs = new prom.Counter({ name: `${P}records_sent_total`, help: 'theirs', registers: [registry] })
    theirs.inc(5)
    createPrometheusObserver({ registry }).recordsSent('orders', 1)
    expect((await scrape(registry)).get(`${P}records_sent_total`)).toBe(6)
  })
})

describe('the hot path', () => {
  /** A registry that counts how often the metrics' series are looked for by their labels. */
  const countedLookups = (): { registry: prom.Registry; lookups: () => number } => {
    let count = 0
    const registry = new prom.Registry()
    const register = registry.registerMetric.bind(registry)
    registry.registerMetric = (metric: prom.Metric) => {
      const it = metric as unknown as Record<'labels' | 'seriesOf', (...args: never[]) => unknown>
      for (const name of ['labels', 'seriesOf'] as const) {
        const method = it[name]
        if (method === undefined) continue
        it[name] = (...args) => {
          count++
          return method.apply(it, args)
        }
      }
      register(metric)
    }
    return { registry, lookups: () => count }
  }

  it.each(['off', 'all'] as const)(
    'finds a series once, not at every report (topicLabel: %s)',
    async topicLabel => {
      const { registry, lookups } = countedLookups()
      const observer = createPrometheusObserver({ registry, topicLabel, topicMetrics: 'all', maxTopics: 2 })
      const everything = () => {
        for (const topic of ['a', 'b', 'over the cap', 'over the cap too']) {
          observer.recordsSent(topic, 1)
          observer.recordsFailed(topic, 1, 'INVALID_RECORD')
          observer.recordsFailed(topic, 1, 'a message, not a type')
          observer.recordsRetried(topic, 1, 'REQUEST_TIMED_OUT')
          observer.metadataRetried(topic, 'LEADER_NOT_AVAILABLE')
          observer.topicWaited(topic, 'available', 1)
          observer.topicCreated(topic, 'broker', undefined)
          observer.batchSent(topic, 1, 1, 1, 1)
          observer.batchDelivered(topic, 1, 1)
        }
        observer.metadataRefreshed('age', 'ok', 1)
        observer.bufferWaited(1)
        observer.requestEnded(1, 1)
      }
      everything()
      const before = lookups()
      expect(before).toBeGreaterThan(100)
      for (let i = 0; i < 9; i++) everything()
      expect(lookups()).toBe(before)
      const samples = await scrape(registry)
      const of = (topic: string) => (topicLabel === 'all' ? `topic="${topic}",` : '')
      expect(samples.get(`${P}records_failed_total{${of('a')}error="INVALID_RECORD"}`)).toBe(
        topicLabel === 'all' ? 10 : 40,
      )
      expect(samples.get(`${P}metadata_refreshes_total{trigger="age",outcome="ok"}`)).toBe(10)
      expect(samples.get(`${P}request_seconds_count{broker="1"}`)).toBe(10)
      if (topicLabel === 'off') return
      expect(samples.get(`${P}records_failed_total{topic="other",error="other"}`)).toBe(20)
      expect(samples.get(`${P}queue_seconds_count{topic="other"}`)).toBe(20)
    },
  )

  it('looks each series up once more after a reset, and not again', () => {
    const { registry, lookups } = countedLookups()
    const observer = createPrometheusObserver({ registry })
    const report = () => {
      const before = lookups()
      observer.recordsSent('a', 1)
      observer.batchDelivered('a', 1, 1)
      return lookups() - before
    }
    expect([report(), report()]).toEqual([0, 0])
    registry.resetMetrics()
    expect([report(), report()]).toEqual([2, 0])
  })
})
