import {
  createResilientProducer,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import type { TestBroker } from '../testBroker.js'

/** What a producer asked of brokers, by kafkajs's own network events: counts on any kind of broker. */
export interface Requests {
  /** Answered requests of one API, the connection's own included. */
  count(api: string): number
}

/** Connects a producer to the suite's broker for as long as `use` runs; it is disconnected whatever comes of that. */
export async function producing<T>(
  broker: TestBroker,
  options: ResilientProducerOptions,
  use: (producer: ResilientProducer, requests: Requests) => Promise<T>,
): Promise<T> {
  const producer = createResilientProducer(broker.kafka({ clientId: 'producer' }), options)
  const counts = new Map<string, number>()
  producer.on(producer.events.REQUEST, ({ payload: { apiName } }) => {
    counts.set(apiName, (counts.get(apiName) ?? 0) + 1)
  })
  try {
    await producer.connect()
    return await use(producer, { count: api => counts.get(api) ?? 0 })
  } finally {
    // Where `use` failed, records may wait for what it would have done: they need not be waited for.
    await producer.disconnect({ timeoutMs: 2_000 })
  }
}

/** The error that a promise ends with. */
export const failureOf = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    value => {
      throw new Error(`it was expected to fail, but gave ${JSON.stringify(value)}`)
    },
    (error: Error) => error,
  )

/** So many things by their place, from 0. */
export const range = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index))
