import { expect, it } from 'vitest'
import { BufferBudget } from '../../../src/delivery/buffer/bufferBudget.js'
import { TopicRegistry, type TopicRegistryParts } from '../../../src/delivery/topics/topicRegistry.js'
import { MetadataCache } from '../../../src/metadata/cache/cache.js'

const PARTITIONS = 1000

it('leads one queue for a leader hint, and all queues for a metadata answer', () => {
  const cache = new MetadataCache({
    onBrokers: () => {},
    onListenerError: error => {
      throw error
    },
  })
  const led: [number, number, number][] = []
  const parts = {
    directory: {
      subscribe: (listener: Parameters<typeof cache.subscribe>[0]) => cache.subscribe(listener),
      topic: (name: string) => cache.topic(name),
    },
    senders: {
      lead: (queue: { readonly partition: number }, nodeId: number, epoch: number) =>
        led.push([queue.partition, nodeId, epoch]),
    },
    completion: {},
    queueHost: { batchLimits: {}, budget: new BufferBudget(1000) },
    newPartitioner: () => ({}),
    onReady: () => {},
    onFailed: () => {},
  } as unknown as TopicRegistryParts
  const registry = new TopicRegistry(parts)
  const brokers = [1, 2].map(nodeId => ({ nodeId, host: '127.0.0.1', port: nodeId, rack: null }))
  cache.applyBrokers({ brokers, controllerId: 1 })
  cache.applyTopic(
    't',
    {
      errorCode: 0,
      name: 't',
      topicId: '1'.repeat(32),
      isInternal: false,
      topicAuthorizedOperations: 0,
      partitions: Array.from({ length: PARTITIONS }, (_, partitionIndex) => ({
        errorCode: 0,
        partitionIndex,
        leaderId: 1,
        leaderEpoch: 1,
        replicaNodes: [],
        isrNodes: [],
        offlineReplicas: [],
      })),
    },
    0,
    1,
  )
  const topic = registry.partitionsOf('t')
  // A partition has a queue from its first record on.
  expect(led).toEqual([])
  for (let partition = 0; partition < PARTITIONS; partition++) topic.queueOf(partition)
  expect(led).toHaveLength(PARTITIONS)
  led.length = 0
  cache.learnLeader('t', 7, 2, 2)
  expect(led).toEqual([[7, 2, 2]])
  registry.close()
})
