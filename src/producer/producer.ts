import type { Kafka, KafkaConfig, ProducerConfig } from 'kafkajs'
import { publishing, WaitPublisher } from '../diagnostics/channels.js'
import { NonRetriableError } from '../errors/bases.js'
import { FlushTimeoutError } from '../errors/index.js'
import { FloodLog } from '../logging/floodLog.js'
import { guardedLogger } from '../logging/guardedLogger.js'
import { silentObserver } from '../metrics/observer.js'
import { createPrometheusObserver } from '../metrics/prometheus/prometheusObserver.js'
import { WaitRegistry } from '../waits/registry.js'
import { WaitLog } from '../waits/waitLog.js'
import { Enqueueing } from './calls/enqueueing.js'
import { RefusedCalls } from './calls/refusedCalls.js'
import { Sending } from './calls/sending.js'
import { TopicNames } from './checks/validate.js'
import { EventHub, PRODUCER_EVENTS } from './events.js'
import { showingInside } from './inside.js'
import { tellOfInstrumentation } from './instrumentation.js'
import { type ProducerSettings, resolveOptions } from './options/options.js'
import { isPlainConfig, kafkaOf } from './options/plainConfig.js'
import { combineOptions, sourcesOf } from './options/sources.js'
import { Lifecycle } from './session/lifecycle.js'
import { waitFor } from './session/wait.js'
import type { ResilientProducer, ResilientProducerOptions, WaitOptions } from './types.js'
import { UnownedFailures } from './unowned.js'

/**
 * Wraps the brokers, credentials and logger of a kafkajs `Kafka` into a producer that waits for topics, retries by
 * partition and never doubles what was acknowledged. The returned object is a kafkajs `Producer`: its methods need no
 * `this`, and may be replaced, as instrumentations do.
 *
 * @param kafka - a kafkajs `Kafka`, or the KafkaConfig that one would be made with
 * @throws {@link InvalidOptionsError} that lists every problem; {@link IncompatibleKafkajsError} where `kafka` is neither
 * @example
 * const producer = createResilientProducer({ brokers: ['localhost:9092'] }, { lingerMs: 5 })
 */
export const createResilientProducer = (
  kafka: Kafka | KafkaConfig,
  options?: ResilientProducerOptions,
): ResilientProducer => producerOf(isPlainConfig(kafka) ? kafkaOf(kafka) : kafka, undefined, options)

/** As {@link createResilientProducer}, with a configuration of kafkajs's, which is above the options. */
export const producerOf = (
  kafka: Kafka,
  config: ProducerConfig | undefined,
  options: ResilientProducerOptions | undefined,
): ResilientProducer =>
  assemble(kafka, resolveOptions(combineOptions({ config, options, client: sourcesOf(kafka) })))

const assemble = (kafka: Kafka, settings: ProducerSettings): ResilientProducer => {
  const ownLogger = kafka.logger().namespace('Producer')
  const logger = guardedLogger(ownLogger)
  const waits = new WaitRegistry()
  new WaitLog(waits, logger)
  const unowned = new UnownedFailures(settings.onDeliveryError, new FloodLog(logger))
  const events = new EventHub(logger)
  new WaitPublisher(waits)
  const observer = publishing(
    settings.metrics === undefined ? silentObserver : createPrometheusObserver(settings.metrics),
  )
  const topicNames = new TopicNames()
  const lifecycle = new Lifecycle({
    kafka,
    settings,
    logger,
    observer,
    waits,
    unowned,
    events,
    topicNames,
    onSpace: () => enqueueing.freed(),
    onClosed: () => enqueueing.closed(),
  })
  const refused = new RefusedCalls(observer)
  const sending = new Sending(lifecycle, settings, topicNames, refused)
  const enqueueing = new Enqueueing({ lifecycle, settings, topicNames, unowned, observer })

  const flush = async ({ timeoutMs, signal }: WaitOptions = {}): Promise<void> => {
    const { session } = lifecycle.connected
    const timeoutError = (afterMs: number): Error =>
      new FlushTimeoutError(afterMs, session.levels.bufferedRecords)
    await waitFor(session.flush(), { timeoutMs, signal }, timeoutError)
  }

  const producer: ResilientProducer = {
    connect: (wait = {}) => {
      tellOfInstrumentation(kafka, producer, logger)
      return lifecycle.connect(wait)
    },
    disconnect: wait => lifecycle.disconnect(wait?.timeoutMs),
    isIdempotent: () => lifecycle.live?.session.isSequenced ?? settings.idempotent ?? settings.acks === -1,
    events: PRODUCER_EVENTS,
    on: ((name: string, listener: (event: never) => void) =>
      events.on(name, listener as (event: unknown) => void)) as ResilientProducer['on'],
    send: record => sending.send(record),
    sendBatch: batch => sending.sendBatch(batch),
    transaction: async () => {
      if (settings.transactionalId === undefined) {
        throw new NonRetriableError('Must provide transactional id for transactional producer')
      }
      return lifecycle.connected.session.transactions!.begin()
    },
    health: () => lifecycle.health,
    logger: () => ownLogger,
    enqueue: (topic, message, onDelivery) => {
      try {
        return enqueueing.enqueue(topic, message, onDelivery)
      } catch (error) {
        refused.count([{ topic, messages: [message] }], error)
        throw error
      }
    },
    ready: () => enqueueing.ready(),
    writable: writableOptions => enqueueing.writable(writableOptions),
    flush,
  }
  return showingInside(producer, { clusterId: () => lifecycle.live?.session.clusterId, waits })
}
