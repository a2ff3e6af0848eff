import type { StoredRecord } from 'kafkajs-resilient-producer/testing'
import { fetchApi } from '../../../src/protocol/messages/fetch.js'
import { metadataApi } from '../../../src/protocol/messages/metadata.js'
import {
  compressionOf,
  decodeBatch,
  isControl,
  type RecordBatchHeader,
  readBatchHeader,
  splitBatches,
} from '../../../src/protocol/records/decode.js'
import { RawClient } from '../../testing/support/rawClient.js'
import { until } from '../cluster/wait.js'

/*
 * Logs as the brokers serve them, read without any client library: the whole of a partition, batch by batch. Speaks
 * the newest versions by name that Kafka 2.8 and the embedded cluster know.
 */
const METADATA_VERSION = 9
const FETCH_VERSION = 12
const FETCH_BYTES = 32 * 1024 * 1024

export interface PartitionLeader {
  readonly topic: string
  readonly partition: number
  /** -1: none */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

/** A batch as it stands in a log. */
export interface StoredBatch {
  readonly topic: string
  readonly partition: number
  readonly header: RecordBatchHeader
  /** As CompressionTypes of kafkajs. */
  readonly compression: number
  readonly bytes: Buffer
}

interface ClusterView {
  readonly addresses: ReadonlyMap<number, string>
  readonly partitions: readonly PartitionLeader[]
}

/** Of the first broker that answers. Nothing is created by asking. */
const describeCluster = async (
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<ClusterView> => {
  let failure: unknown
  for (const address of bootstrap) {
    try {
      const client = await RawClient.connect(address)
      try {
        const answer = await client.call(metadataApi, METADATA_VERSION, {
          topics: topics.map(name => ({ name })),
          allowAutoTopicCreation: false,
        })
        if (!answer) throw new Error(`${address} has cut the connection`)
        return {
          addresses: new Map(answer.brokers.map(each => [each.nodeId, `${each.host}:${each.port}`])),
          partitions: answer.topics.flatMap(({ name, partitions }) =>
            partitions.map(each => ({
              topic: name ?? '',
              partition: each.partitionIndex,
              leader: each.leaderId,
              replicas: each.replicaNodes,
              isr: each.isrNodes,
            })),
          ),
        }
      } finally {
        await client.close()
      }
    } catch (error) {
      failure = error
    }
  }
  throw failure
}

/** Every partition of those topics that exist. */
export const leadersOf = async (
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<readonly PartitionLeader[]> => (await describeCluster(bootstrap, topics)).partitions

/** UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER: a leader that has not taken over yet. */
const notYet: ReadonlySet<number> = new Set([3, 5, 6])

class NotServedYet extends Error {}

/** All batches of the topics up to their ends, partition by partition. */
export const readBatches = (
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<StoredBatch[]> => {
  let last = ''
  const read = () =>
    readOnce(bootstrap, topics).catch(error => {
      if (!(error instanceof NotServedYet)) throw error
      last = error.message
      return undefined
    })
  return until('every partition to be served', read, { timeoutMs: 30_000 }).catch(error => {
    throw last === '' ? error : new Error(`${error.message} (last: ${last})`)
  })
}

async function readOnce(bootstrap: readonly string[], topics: readonly string[]): Promise<StoredBatch[]> {
  const { addresses, partitions } = await describeCluster(bootstrap, topics)
  const batches: StoredBatch[] = []
  for (const leader of new Set(partitions.map(each => each.leader))) {
    const led = partitions.filter(each => each.leader === leader)
    const address = addresses.get(leader)
    if (!address) throw new NotServedYet(`${led[0]?.topic} [${led[0]?.partition}] has no leader`)
    const client = await RawClient.connect(address)
    try {
      // Not as arguments of one call: there may be more batches than the stack holds.
      for (const batch of await readPartitions(client, led)) batches.push(batch)
    } finally {
      await client.close()
    }
  }
  return batches
}

async function readPartitions(client: RawClient, led: readonly PartitionLeader[]): Promise<StoredBatch[]> {
  const batches: StoredBatch[] = []
  const next = new Map(led.map(({ topic, partition }) => [`${topic}/${partition}`, 0n]))
  let unread = led
  while (unread.length > 0) {
    const answer = await client.call(fetchApi, FETCH_VERSION, fetchRequest(unread, next))
    if (!answer) throw new Error('the broker has cut the connection')
    const finished = new Set<string>()
    for (const { topic, partitions } of answer.responses) {
      for (const { partitionIndex: partition, errorCode, highWatermark, records } of partitions) {
        const problem = `${topic} [${partition}] cannot be fetched: error ${errorCode}`
        if (notYet.has(errorCode)) throw new NotServedYet(problem)
        if (errorCode !== 0) throw new Error(problem)
        const place = `${topic}/${partition}`
        for (const bytes of splitBatches(records ?? Buffer.alloc(0))) {
          const header = readBatchHeader(bytes)
          batches.push({ topic, partition, header, compression: compressionOf(header), bytes })
          next.set(place, header.baseOffset + BigInt(header.lastOffsetDelta) + 1n)
        }
        if ((next.get(place) ?? 0n) >= highWatermark) finished.add(place)
      }
    }
    unread = unread.filter(({ topic, partition }) => !finished.has(`${topic}/${partition}`))
  }
  return batches
}

const fetchRequest = (unread: readonly PartitionLeader[], next: ReadonlyMap<string, bigint>) => ({
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 0,
  maxBytes: FETCH_BYTES,
  isolationLevel: 0,
  topics: [...new Set(unread.map(({ topic }) => topic))].map(topic => ({
    topic,
    partitions: unread
      .filter(each => each.topic === topic)
      .map(({ partition }) => ({
        partition,
        fetchOffset: next.get(`${topic}/${partition}`) ?? 0n,
        partitionMaxBytes: FETCH_BYTES,
      })),
  })),
})

/** All records of the topics, per partition in the order of their offsets: what `checkDelivery` compares. */
export async function readLogs(
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<StoredRecord[]> {
  const batches = await readBatches(bootstrap, topics)
  return batches.flatMap(({ topic, partition, header, bytes }) => {
    if (isControl(header)) return []
    return decodeBatch(bytes).records.map((record, index) => ({
      topic,
      partition,
      offset: Number(record.offset),
      key: record.key,
      value: record.value,
      headers: record.headers,
      timestamp: Number(record.timestamp),
      producerId: Number(header.producerId),
      producerEpoch: header.producerEpoch,
      sequence: header.producerId < 0n ? -1 : (header.baseSequence + index) % 2 ** 31,
    }))
  })
}

/**
 * The same, once there are so many. A leader that has just taken over shows the end of its log only with its followers'
 * next fetch: right after a failover acknowledged records can be missing for a moment.
 */
export const readAtLeast = (
  count: number,
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<StoredRecord[]> =>
  until(
    `${count} records`,
    async () => {
      const records = await readLogs(bootstrap, topics)
      return records.length >= count ? records : undefined
    },
    { timeoutMs: 60_000, everyMs: 200 },
  )
