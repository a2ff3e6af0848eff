import type { Kafka } from 'kafkajs'
import { seeCluster } from './cluster.js'
import { type ConsumerRequests, watchRequests } from './consumerRequests.js'
import { quietQueues } from './quietQueues.js'

/**
 * Makes a consumer by kafkajs with quiet queues, whose requests are seen.
 *
 * @throws {IncompatibleKafkajsError} when kafkajs's inside is not as expected
 */
export const seeingRequests = <Client>(
  kafka: Kafka,
  make: () => Client,
  requests: ConsumerRequests,
): Client => {
  const [client, cluster] = seeCluster(kafka, make)
  watchRequests(cluster, requests)
  quietQueues(cluster)
  return client
}

/** Makes a client by kafkajs with quiet queues. @throws {IncompatibleKafkajsError} */
export const withQuietQueues = <Client>(kafka: Kafka, make: () => Client): Client => {
  const [client, cluster] = seeCluster(kafka, make)
  quietQueues(cluster)
  return client
}
