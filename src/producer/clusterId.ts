const CLUSTER_ID = Symbol('kafkajs-resilient-producer: cluster id')

/** Lets the producer tell the id of its cluster (KIP-78), to instrumentations; no part of kafkajs's interface. */
export const tellingClusterId = <P extends object>(producer: P, clusterId: () => string | undefined): P =>
  Object.defineProperty(producer, CLUSTER_ID, { value: clusterId, enumerable: true, configurable: true })

/** Undefined when it is not connected, of another make, or on brokers that do not tell (Kafka before 0.10.1). */
export const clusterIdOf = (producer: object): string | undefined =>
  (producer as { readonly [CLUSTER_ID]?: () => string | undefined })[CLUSTER_ID]?.()
