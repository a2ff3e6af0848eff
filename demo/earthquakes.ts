import type { ResilientKafka } from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'
import type { Earthquake } from './dataset.js'
import type { Deliveries } from './deliveries.js'
import { FIGURES, type Figures, readFigures } from './figures.js'

/** Where this run's records carry its id, so that a run tells its own from those of earlier ones. */
export const RUN_HEADER = 'run'

export interface Job {
  readonly topicOf: (earthquake: Earthquake) => string
  readonly runId: string
  readonly connectTimeoutMs: number
  /** Drops what has not been sent yet. */
  readonly signal: AbortSignal
}

/** Sends every earthquake at once, to topics that may not exist yet, until each is acknowledged or has failed. */
export async function sendEarthquakes(
  kafka: ResilientKafka,
  earthquakes: readonly Earthquake[],
  deliveries: Deliveries,
  { topicOf, runId, connectTimeoutMs, signal }: Job,
): Promise<Figures> {
  const registry = new Registry()
  const metrics = { registry, topicLabel: 'all', topicMetrics: FIGURES } as const
  const producer = kafka.producer({}, { metrics })
  await producer.connect({ timeoutMs: connectTimeoutMs, signal })
  deliveries.begin()
  try {
    await Promise.all(
      earthquakes.map(async earthquake => {
        const topic = topicOf(earthquake)
        const message = { key: earthquake.id, value: earthquake.json, headers: { [RUN_HEADER]: runId } }
        try {
          await producer.send({ topic, messages: [message], signal })
          deliveries.succeeded(topic, earthquake.id)
        } catch (error) {
          deliveries.failed(topic, error as Error)
        }
      }),
    )
    return await readFigures(registry)
  } finally {
    await producer.disconnect()
  }
}
