import type { Kafka } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'
import { type ConnectLimits, connectWithin, orAborted } from '../../src/cli/connection/connect.js'
import type { EarthquakeEvent } from './events.js'
import { RUN_HEADER } from './readBack.js'
import { type Figures, readFigures } from './topicFigures.js'

export interface StreamOptions {
  readonly topicOf: (event: EarthquakeEvent) => string
  readonly runId: string
  /** Options of the producer from a configuration file. */
  readonly producer: Readonly<Record<string, unknown>>
  readonly connect: ConnectLimits
  readonly signal: AbortSignal
  onConnected(): void
  /** Called as each record ends. */
  onDelivered(topic: string, key: string): void
  onFailed(topic: string, error: Error): void
}

export interface Streamed {
  readonly elapsedMs: number
  readonly figures: Figures
}

/** Sends every event at once, to topics that may not exist, and waits until each was acknowledged or has failed. */
export async function streamEvents(
  kafka: Kafka,
  events: readonly EarthquakeEvent[],
  options: StreamOptions,
): Promise<Streamed> {
  const { topicOf, runId, signal } = options
  const registry = new Registry()
  const producer = createResilientProducer(kafka, {
    ...options.producer,
    metrics: { registry, topicLabel: 'all' },
  })
  await connectWithin(producer, options.connect)
  options.onConnected()
  try {
    const started = performance.now()
    const sends = events.map(async event => {
      const topic = topicOf(event)
      const message = { key: event.id, value: event.json, headers: { [RUN_HEADER]: runId } }
      try {
        await producer.send({ topic, messages: [message] })
        options.onDelivered(topic, event.id)
      } catch (error) {
        options.onFailed(topic, error as Error)
      }
    })
    await orAborted(Promise.all(sends), signal)
    return { elapsedMs: performance.now() - started, figures: await readFigures(registry) }
  } finally {
    await producer.disconnect()
  }
}
