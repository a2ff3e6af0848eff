import type { WaitRegistry } from '../waits/registry.js'

const INSIDE = Symbol('kafkajs-resilient-producer: inside')

/** What a producer lets instrumentations see; no part of kafkajs's interface. */
export interface ProducerInside {
  /** The id of its cluster (KIP-78). Undefined while it is not connected, and on brokers that do not tell (Kafka before 0.10.1). */
  readonly clusterId: () => string | undefined
  /** What its records wait for. */
  readonly waits: WaitRegistry
}

export const showingInside = <P extends object>(producer: P, inside: ProducerInside): P =>
  Object.defineProperty(producer, INSIDE, { value: inside, enumerable: true, configurable: true })

/** Undefined for a producer of another make. */
export const insideOf = (producer: object): ProducerInside | undefined =>
  (producer as { readonly [INSIDE]?: ProducerInside })[INSIDE]
