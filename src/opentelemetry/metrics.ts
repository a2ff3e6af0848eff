import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { type Attributes, type MeterProvider, metrics } from '@opentelemetry/api'
import type { BatchMessage, FailureMessage, RetryMessage, WaitMessage } from '../diagnostics/channels.js'
import { type SemanticConventionOptions, SemanticConventions } from './semconv.js'
import { beginMeasuring } from './sentMessages.js'

const METER = 'kafkajs-resilient-producer'
/** Buckets of the semantic conventions for operations. s */
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/** The options of {@link measureProducers}. */
export interface OpenTelemetryMetricsOptions extends SemanticConventionOptions {
  /**
   * Whose meter records the measurements.
   *
   * @defaultValue the global one
   * @example
   * import { metrics } from '@opentelemetry/api'
   * measureProducers({ meterProvider: metrics.getMeterProvider() })
   */
  readonly meterProvider?: MeterProvider | undefined
  /**
   * Whether measurements have the topic (`messaging.destination.name`). With a topic per tenant, false bounds the number of series.
   *
   * @defaultValue true
   */
  readonly topics?: boolean | undefined
}

/**
 * Measures all producers of the process by the semantic conventions for messaging: `messaging.client.sent.messages`
 * (with `error.type` where they failed) and `messaging.client.operation.duration` (one per batch), and beside them
 * `kafkajs_resilient_producer.retries` and `kafkajs_resilient_producer.waits`. It listens to the diagnostics channels: nothing
 * is measured before this is called. Messages of a `traced` producer with the same meter provider are counted once, here.
 *
 * @returns a function that ends it
 * @throws {@link InvalidOptionsError} when `semconvStabilityOptIn` is not a string
 * @see https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/
 * @example
 * const stop = measureProducers()
 * process.once('SIGTERM', stop)
 */
export const measureProducers = ({
  meterProvider = metrics.getMeterProvider(),
  topics = true,
  semconvStabilityOptIn,
}: OpenTelemetryMetricsOptions = {}): (() => void) => {
  const { common } = new SemanticConventions(semconvStabilityOptIn)
  const meter = meterProvider.getMeter(METER)
  const sent = meter.createCounter('messaging.client.sent.messages', {
    unit: '{message}',
    description: 'Number of messages producer attempted to send to the broker.',
  })
  const duration = meter.createHistogram('messaging.client.operation.duration', {
    unit: 's',
    description: 'Duration of messaging operation initiated by a producer or consumer client.',
    advice: { explicitBucketBoundaries: DURATIONS },
  })
  const retries = meter.createCounter('kafkajs_resilient_producer.retries', {
    unit: '{message}',
    description: 'Messages sent in a further request, by the error that caused it.',
  })
  const waits = meter.createUpDownCounter('kafkajs_resilient_producer.waits', {
    unit: '{wait}',
    description: 'Ongoing waits, by what is waited for when they begin.',
  })

  const of = (topic: string, rest: Attributes = {}): Attributes => ({
    ...common,
    'messaging.operation.type': 'send',
    ...(topics && { 'messaging.destination.name': topic }),
    ...rest,
  })
  const listeners: Readonly<Record<string, (message: unknown) => void>> = {
    batch(message) {
      const { topic, records, elapsedMs } = message as BatchMessage
      sent.add(records, of(topic))
      duration.record(elapsedMs / 1000, of(topic))
    },
    failure(message) {
      const { topic, records, error } = message as FailureMessage
      sent.add(records, of(topic, { 'error.type': error }))
    },
    retry(message) {
      const { topic, records, reason } = message as RetryMessage
      retries.add(records, of(topic, { 'error.type': reason }))
    },
    wait: waitListener(waits),
  }
  const names = Object.entries(listeners)
  for (const [name, listener] of names) subscribe(`kafkajs-resilient-producer:${name}`, listener)
  const endMeasuring = beginMeasuring(meterProvider)
  let hasEnded = false
  return () => {
    if (hasEnded) return
    hasEnded = true
    endMeasuring()
    for (const [name, listener] of names) unsubscribe(`kafkajs-resilient-producer:${name}`, listener)
  }
}

/** A wait that changes its reason is counted for the one it began with: what is added is taken away again. */
const waitListener =
  (waits: { add(value: number, attributes: Attributes): void }) =>
  (message: unknown): void => {
    const { state, began } = message as WaitMessage
    if (state !== 'changed') waits.add(state === 'began' ? 1 : -1, { for: began })
  }
