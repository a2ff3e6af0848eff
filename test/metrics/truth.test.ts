import { Kafka, logLevel } from 'kafkajs'
import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import {
  changed,
  dropBeforeApply,
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
  errorCode,
  hang,
} from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterEach, describe, expect, test, vi } from 'vitest'

const PREFIX = 'kafka_resilient_producer_'
const NOT_ENOUGH_REPLICAS = 19
const MESSAGE_TOO_LARGE = 10

/** The values of a metric by its labels' values; those of 0 are left out. */
type Values = Readonly<Record<string, number>>

class Service {
  readonly cluster: EmbeddedKafka
  readonly producer: ResilientProducer
  private readonly registry: Registry

  private constructor(cluster: EmbeddedKafka, options: ResilientProducerOptions, registry: Registry) {
    this.cluster = cluster
    this.registry = registry
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
    this.producer = createResilientProducer(kafka, {
      retry: { minTimeoutMs: 1, maxTimeoutMs: 10 },
      metadataRetry: { minTimeoutMs: 1, maxTimeoutMs: 10 },
      metrics: { registry },
      ...options,
    })
  }

  static async start(
    options: ResilientProducerOptions = {},
    clusterOptions: EmbeddedKafkaOptions = {},
  ): Promise<Service> {
    const cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: false, ...clusterOptions })
    const registry = new Registry()
    const service = new Service(cluster, options, registry)
    await service.producer.connect()
    return service
  }

  send(topic: string, records = 1): Promise<unknown> {
    return this.producer.send({ topic, messages: Array.from({ length: records }, () => ({ value: 'x' })) })
  }

  async values(metric: string): Promise<Values> {
    const found = this.registry.getSingleMetric(PREFIX + metric)
    if (found === undefined) throw new Error(`there is no metric ${metric}`)
    const { values } = await found.get()
    const shown = values.filter(({ value, ...sample }) => {
      const { metricName } = sample as { metricName?: string }
      return value !== 0 && (metricName === undefined || metricName.endsWith('_count'))
    })
    return Object.fromEntries(
      shown.map(({ labels, value }) => [Object.values(labels).join(' ') || 'all', value]),
    )
  }

  /** Waits until the metric has just these values. */
  async shows(metric: string, values: Values): Promise<void> {
    await vi.waitFor(async () => expect(await this.values(metric)).toEqual(values), { timeout: 10_000 })
  }

  async end(): Promise<void> {
    await this.producer.disconnect({ timeoutMs: 100 })
    await this.cluster.close({ clients: 'may-stay' })
  }
}

let service: Service
afterEach(() => service.end())

const settled = (work: Promise<unknown>): Promise<unknown> => work.catch(() => {})

describe('records', () => {
  test('sent and failed are those that the script sent and refused', async () => {
    service = await Service.start()
    service.cluster.createTopic('t')
    service.cluster.createTopic('denied')
    service.cluster.deny('denied')
    await service.send('t', 7)
    await settled(service.send('denied', 4))
    await settled(service.send('missing', 3))
    expect(await service.values('records_sent_total')).toEqual({ all: 7 })
    expect(await service.values('records_failed_total')).toEqual({
      TopicAuthorizationError: 4,
      TopicCreationDisabledError: 3,
    })
  })

  test('of calls refused at once are failed', async () => {
    service = await Service.start({ requestBytes: 100_000 })
    service.cluster.createTopic('t')
    await service.send('t')
    const { producer } = service
    await settled(producer.send({ topic: 't', messages: [{ value: 5 as never }, { value: 'x' }] }))
    await settled(service.send('a b', 3))
    await settled(producer.send({ topic: 't', messages: [{ value: Buffer.alloc(200_000) }] }))
    expect(() => producer.enqueue('t', { value: 5 as never })).toThrow()
    await settled(
      producer.sendBatch({ topicMessages: [{ topic: 'a b', messages: [{ value: 'x' }, { value: 'y' }] }] }),
    )
    expect(await service.values('records_failed_total')).toEqual({
      InvalidMessageError: 3,
      InvalidTopicError: 5,
      RecordTooLargeError: 1,
    })
    await producer.disconnect()
    await settled(service.send('t', 2))
    expect(await service.values('records_failed_total')).toMatchObject({ KafkaJSError: 2 })
  })

  test('retried are those that went out once more, not those that were to', async () => {
    service = await Service.start({ deliveryTimeoutMs: 400, retry: { minTimeoutMs: 30, maxTimeoutMs: 30 } })
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    service.cluster.on('Produce', errorCode(NOT_ENOUGH_REPLICAS), { times: Infinity })
    await settled(service.send('t', 5))
    // The last one may still be on its way.
    await vi.waitFor(async () => {
      const again = service.cluster.journal.of('Produce').length - 2
      expect(again).toBeGreaterThan(0)
      expect(await service.values('record_retries_total')).toEqual({ NOT_ENOUGH_REPLICAS: again * 5 })
    })
  })

  test('of a request that was lost are retried for that reason', async () => {
    service = await Service.start()
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    service.cluster.on('Produce', dropBeforeApply, { times: 1 })
    await service.send('t', 3)
    const retries = await service.values('record_retries_total')
    expect(Object.values(retries)).toEqual([3])
    expect(Object.keys(retries)[0]).toMatch(/^KafkaJSConnection/)
    expect(await service.values('requests_lost_total')).toEqual({ 0: 1 })
    expect(await service.values('connects_total')).toEqual({ '0 ok': 2 })
  })

  test('of a batch that is divided are retried in its parts', async () => {
    service = await Service.start()
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    service.cluster.on('Produce', errorCode(MESSAGE_TOO_LARGE), { times: 1 })
    await service.send('t', 6)
    expect(await service.values('batches_split_total')).toEqual({ all: 1 })
    expect(await service.values('record_retries_total')).toEqual({ MESSAGE_TOO_LARGE: 6 })
    expect(await service.values('records_sent_total')).toEqual({ all: 7 })
  })

  test('wait for what holds them up, and for nothing afterwards', async () => {
    service = await Service.start()
    const { cluster } = service
    cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    cluster.moveLeader('t', 0, -1)
    const waiting = service.send('t', 5)
    await service.shows('records_waiting', { leader: 5 })
    expect(await service.values('partitions_without_leader')).toEqual({ all: 1 })
    expect((await service.values('oldest_record_seconds')).all).toBeGreaterThan(0)
    cluster.moveLeader('t', 0, 0)
    await waiting
    expect(await service.values('records_waiting')).toEqual({})
    expect(await service.values('partitions_without_leader')).toEqual({})
    expect(await service.values('oldest_record_seconds')).toEqual({})
  })

  test('wait for a topic none of whose partitions ever had a leader', async () => {
    service = await Service.start()
    const { cluster } = service
    cluster.createTopic('t', { partitions: 1 })
    cluster.moveLeader('t', 0, -1)
    const waiting = service.send('t', 2)
    await service.shows('records_waiting', { leader: 2 })
    expect(await service.values('partitions_without_leader')).toEqual({ all: 1 })
    cluster.moveLeader('t', 0, 0)
    await waiting
    expect(await service.values('topics_created_total')).toEqual({})
    expect(await service.values('records_waiting')).toEqual({})
  })

  test('wait for a topic that is missing', async () => {
    service = await Service.start({ topics: { create: 'never', waitForMs: 60_000 } })
    const waiting = [service.send('a', 2), service.send('b', 3)]
    await service.shows('records_waiting', { topic: 5 })
    expect(await service.values('topics_waiting')).toEqual({ all: 2 })
    for (const topic of ['a', 'b']) service.cluster.createTopic(topic)
    await Promise.all(waiting)
    expect(await service.values('records_waiting')).toEqual({})
    expect(await service.values('topics_created_total')).toEqual({})
  })

  test('wait for a retry', async () => {
    service = await Service.start()
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    let few = true
    service.cluster.on(
      'Produce',
      (request, next) => (few ? errorCode(NOT_ENOUGH_REPLICAS)(request, next) : next()),
      { times: Infinity },
    )
    const waiting = service.send('t', 4)
    await service.shows('records_waiting', { retry: 4 })
    few = false
    await waiting
    expect(await service.values('records_waiting')).toEqual({})
  })

  test('wait for a broker that answers nothing', async () => {
    service = await Service.start({ requestTimeoutMs: 2500, ackTimeoutMs: 500 })
    const { cluster } = service
    cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    cluster.on('Produce', hang, { times: 1 })
    const waiting = service.send('t', 4)
    await service.shows('records_waiting', { answer: 4 })
    await waiting
    expect(await service.values('records_waiting')).toEqual({})
    expect(await service.values('requests_lost_total')).toEqual({ 0: 1 })
  })

  test('wait for a connection, which each failed attempt is counted for', async () => {
    service = await Service.start({}, { brokers: 2 })
    const { cluster } = service
    cluster.createTopic('t', { partitions: 1, replicationFactor: 1 })
    cluster.moveLeader('t', 0, 1)
    await service.send('t')
    await cluster.stopBroker(1)
    cluster.moveLeader('t', 0, 1)
    const waiting = service.send('t', 3)
    await service.shows('records_waiting', { connection: 3 })
    await vi.waitFor(async () =>
      expect((await service.values('connects_total'))['1 failed']).toBeGreaterThan(1),
    )
    expect(await service.values('connections')).toEqual({})
    await cluster.startBroker(1)
    await waiting
    expect(await service.values('records_waiting')).toEqual({})
    expect(await service.values('connections')).toEqual({ 1: 1 })
    expect((await service.values('connects_total'))['1 ok']).toBe(2)
  })

  test('wait for buffer space, each call until it has some or is out of time', async () => {
    service = await Service.start({ bufferBytes: 20_000, deliveryTimeoutMs: 1500, ackTimeoutMs: 500 })
    const { cluster, producer } = service
    cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    cluster.on('Produce', hang, { times: Infinity })
    const messages = [{ value: Buffer.alloc(900) }]
    const sends = Array.from({ length: 40 }, () => settled(producer.send({ topic: 't', messages })))
    await vi.waitFor(async () => {
      const { buffer = 0 } = await service.values('records_waiting')
      expect(buffer).toBeGreaterThan(10)
    })
    const { all: buffered = 0 } = await service.values('buffered_records')
    const { buffer = 0 } = await service.values('records_waiting')
    expect(buffered + buffer).toBe(40)
    await Promise.all(sends)
    expect(await service.values('buffer_wait_seconds')).toEqual({ all: buffer })
    expect(await service.values('records_failed_total')).toEqual({ DeliveryTimeoutError: 40 })
    expect((await service.values('records_waiting')).buffer).toBeUndefined()
  })

  test('wait for the end of a throttle', async () => {
    service = await Service.start()
    service.cluster.createTopic('t', { partitions: 1 })
    service.cluster.on(
      'Produce',
      changed(answer => ({ ...answer, throttleTimeMs: 700 })),
      { times: 1 },
    )
    await service.send('t')
    const waiting = service.send('t', 2)
    await service.shows('records_waiting', { quota: 2 })
    expect(await service.values('throttle_seconds_total')).toEqual({ 0: 0.7 })
    await waiting
    expect(await service.values('records_waiting')).toEqual({})
    expect(await service.values('request_seconds')).toEqual({ 0: 2 })
  })
})

describe('the creation of topics', () => {
  test('is counted once, by who created them', async () => {
    service = await Service.start({ topics: { create: 'broker' } }, { autoCreate: { createdAfter: 2 } })
    await Promise.all([service.send('a'), service.send('b')])
    await service.send('a')
    expect(await service.values('topics_created_total')).toEqual({ broker: 2 })
  })

  test('by an admin’s request is that', async () => {
    service = await Service.start({ topics: { create: 'admin' } })
    await Promise.all([service.send('a'), service.send('b')])
    expect(await service.values('topics_created_total')).toEqual({ admin: 2 })
  })
})

describe('transactions', () => {
  test('are counted by their end, and their records once they are committed', async () => {
    service = await Service.start({ transactionalId: 'tx' })
    service.cluster.createTopic('t', { partitions: 1 })
    const { producer } = service
    const messages = (count: number) => Array.from({ length: count }, () => ({ value: 'x' }))
    const committed = await producer.transaction()
    await committed.send({ topic: 't', messages: messages(10) })
    expect(await service.values('records_sent_total')).toEqual({})
    await committed.commit()
    const aborted = await producer.transaction()
    await aborted.send({ topic: 't', messages: messages(7) })
    await aborted.abort()
    await producer.transaction().then(empty => empty.commit())
    expect(service.cluster.records('t', undefined, 'committed')).toHaveLength(10)
    expect(await service.values('records_sent_total')).toEqual({ all: 10 })
    expect(await service.values('records_aborted_total')).toEqual({ all: 7 })
    expect(await service.values('transactions_begun_total')).toEqual({ all: 3 })
    expect(await service.values('transactions_ended_total')).toEqual({ committed: 2, aborted: 1 })
    expect(await service.values('transaction_seconds')).toEqual({ committed: 2, aborted: 1 })
    expect(await service.values('producer_ids_total')).toEqual({ all: 2 })
  })

  test('that another producer has ended have failed', async () => {
    service = await Service.start({ transactionalId: 'tx' })
    service.cluster.createTopic('t', { partitions: 1 })
    const transaction = await service.producer.transaction()
    await transaction.send({ topic: 't', messages: [{ value: 'x' }] })
    const kafka = new Kafka({ brokers: service.cluster.bootstrap, logLevel: logLevel.NOTHING })
    const successor = createResilientProducer(kafka, { transactionalId: 'tx' })
    await successor.connect()
    await expect(transaction.commit()).rejects.toThrow()
    await successor.disconnect()
    expect(await service.values('transactions_ended_total')).toEqual({ failed: 1 })
    expect(await service.values('records_sent_total')).toEqual({})
    expect(await service.values('records_aborted_total')).toEqual({ all: 1 })
  })
})

describe('the producer', () => {
  test('shows its ids and epochs', async () => {
    service = await Service.start({ deliveryTimeoutMs: 300 })
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    expect(await service.values('producer_ids_total')).toEqual({ all: 1 })
    expect(await service.values('epoch_bumps_total')).toEqual({})
    // A definite failure of a batch that was sent leaves a gap in the sequences.
    service.cluster.on('Produce', errorCode(87), { times: 1 })
    await settled(service.send('t'))
    await service.send('t')
    expect(await service.values('epoch_bumps_total')).toEqual({ all: 1 })
  })

  test('shows its buffer, its metadata and its version', async () => {
    service = await Service.start({ bufferBytes: 1_000_000 })
    service.cluster.createTopic('t', { partitions: 1 })
    await service.send('t')
    expect(await service.values('buffer_limit_bytes')).toEqual({ all: 1_000_000 })
    expect((await service.values('metadata_age_seconds')).all).toBeLessThan(30)
    expect(Object.values(await service.values('build_info'))).toEqual([1])
    expect(await service.values('connections')).toEqual({ 0: 1 })
    await service.producer.disconnect()
    expect(await service.values('connections')).toEqual({})
    expect(await service.values('buffer_limit_bytes')).toEqual({})
  })
})
