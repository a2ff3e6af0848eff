import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'
import type { Client, ClientOptions, OpenClient, Sink } from './client.js'
import { CODECS } from './codecs.js'
import { toMessage } from './kafkajs.js'

/** The environment variable with the folder of an earlier build, for `ours-before`. */
export const BEFORE = 'BENCH_BEFORE'

/** The producer as a user makes it; `settings` are its own options. */
export const createOurs = (
  { brokers, idempotent, compression, settings }: ClientOptions,
  create = createResilientProducer,
) =>
  create(new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING }), {
    idempotent,
    compression: CODECS[compression],
    ...settings,
  })

const withSubmit = (
  producer: ReturnType<typeof createOurs>,
  sink: Sink,
  submitBy: (producer: ReturnType<typeof createOurs>) => Client['submit'],
): Client => {
  return {
    connect: () => producer.connect(),
    submit: submitBy(producer),
    submitArray: (topic, records) =>
      void producer.send({ topic, messages: records.map(toMessage) }).then(
        () => sink.onDelivered(records.length),
        error => sink.onFailed(records.length, error),
      ),
    send: async (topic, record) => {
      await producer.send({ topic, messages: [toMessage(record)] })
    },
    close: () => producer.disconnect(),
  }
}

const bySend = (producer: ReturnType<typeof createOurs>, sink: Sink): Client => {
  const one = (): void => sink.onDelivered(1)
  const failedOne = (error: unknown): void => sink.onFailed(1, error)
  return withSubmit(
    producer,
    sink,
    made => (topic, record) => void made.send({ topic, messages: [toMessage(record)] }).then(one, failedOne),
  )
}

/** kafkajs's own call: a promise per record. */
export const open: OpenClient = async (options, sink) => bySend(createOurs(options), sink)

/** The same with another build of this package: what a change costs or gains shows in one run. */
export const openBefore: OpenClient = async (options, sink) => {
  const entry = pathToFileURL(join(process.env[BEFORE]!, 'dist', 'index.js')).href
  const { createResilientProducer: create } = (await import(entry)) as {
    createResilientProducer: typeof createResilientProducer
  }
  return bySend(createOurs(options, create), sink)
}

/** `enqueue()`: no promise, a callback a record. */
export const openEnqueue: OpenClient = async (options, sink) => {
  const onDelivery = (error: Error | null): void =>
    error === null ? sink.onDelivered(1) : sink.onFailed(1, error)
  return withSubmit(
    createOurs(options),
    sink,
    producer => (topic, record) => void producer.enqueue(topic, toMessage(record), onDelivery),
  )
}

const REFRESHES = 'kafka_resilient_producer_metadata_refreshes_total'

/** As `open`, with Prometheus metrics on, which tell the metadata requests. */
export const openWithMetrics: OpenClient = async (options, sink) => {
  const registry = new Registry()
  const client = await open({ ...options, settings: { ...options.settings, metrics: { registry } } }, sink)
  return {
    ...client,
    async metadataRequests() {
      const { values } = (await registry.getSingleMetric(REFRESHES)?.get()) ?? { values: [] }
      return values.reduce((sum, { value }) => sum + value, 0)
    },
  }
}
