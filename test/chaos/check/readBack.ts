import { LIST_OFFSETS_TIMESTAMP, listOffsetsApi } from '../../../src/protocol/messages/listOffsets.js'
import { decodeBatch, isControl } from '../../../src/protocol/records/decode.js'
import { withoutAborted } from '../../kafka/support/committed.js'
import { readBatches, type StoredBatch } from '../../kafka/support/logs.js'
import { ask } from '../cluster/ask.js'
import { partitionsOf } from '../cluster/control.js'
import { numberIn } from '../load/recordValue.js'
import { placeOf } from './failover.js'
import { HIDDEN, type StoredLog } from './storedLog.js'

const LIST_OFFSETS_VERSION = 4

/**
 * All partitions of those of the topics that exist, from their start to their end. The end offsets are asked for apart
 * from the records.
 */
export const readBack = async (
  bootstrap: readonly string[],
  topics: readonly string[],
  tag: number,
): Promise<StoredLog[]> => {
  const ends = await endOffsets(bootstrap, topics)
  const batches = await readBatches(bootstrap, topics)
  const byPartition = new Map<string, StoredBatch[]>()
  for (const batch of batches) {
    const place = placeOf(batch.topic, batch.partition)
    const known = byPartition.get(place)
    if (known === undefined) byPartition.set(place, [batch])
    else known.push(batch)
  }
  const committed = new Set(withoutAborted(batches))
  const isShown = (batch: StoredBatch): boolean => committed.has(batch) && !isControl(batch.header)
  return ends.map(({ topic, partition, endOffset }) =>
    toLog(topic, partition, endOffset, byPartition.get(placeOf(topic, partition)) ?? [], tag, isShown),
  )
}

const toLog = (
  topic: string,
  partition: number,
  endOffset: number,
  batches: readonly StoredBatch[],
  tag: number,
  isShown: (batch: StoredBatch) => boolean,
): StoredLog => {
  const count = batches.reduce((sum, { header }) => sum + header.recordCount, 0)
  const offsets = new Float64Array(count)
  const numbers = new Float64Array(count)
  const leaderEpochs = new Int32Array(count)
  let row = 0
  for (const batch of batches) {
    const { header, bytes } = batch
    for (const { offset, value } of decodeBatch(bytes).records) {
      offsets[row] = Number(offset)
      numbers[row] = isShown(batch) ? (numberIn(value, tag) ?? -1) : HIDDEN
      leaderEpochs[row] = header.partitionLeaderEpoch
      row++
    }
  }
  return { topic, partition, endOffset, offsets, numbers, leaderEpochs }
}

interface End {
  readonly topic: string
  readonly partition: number
  readonly endOffset: number
}

/** @param bootstrap of the brokers, in the order of their ids from 1 */
const endOffsets = async (bootstrap: readonly string[], topics: readonly string[]): Promise<End[]> => {
  const partitions = await partitionsOf(bootstrap, topics)
  const ends: End[] = []
  for (const leader of new Set(partitions.map(each => each.leader))) {
    const address = bootstrap[leader - 1]
    if (address === undefined) throw new Error(`a partition has no leader, but ${leader}`)
    const led = partitions.filter(each => each.leader === leader)
    const answer = await ask(address, listOffsetsApi, LIST_OFFSETS_VERSION, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [...new Set(led.map(({ topic }) => topic))].map(name => ({
        name,
        partitions: led
          .filter(({ topic }) => topic === name)
          .map(({ partition }) => ({ partitionIndex: partition, timestamp: LIST_OFFSETS_TIMESTAMP.latest })),
      })),
    })
    for (const { name: topic, partitions: told } of answer.topics) {
      for (const { partitionIndex: partition, errorCode, offset } of told) {
        if (errorCode !== 0) throw new Error(`${topic} [${partition}] has no end offset: error ${errorCode}`)
        ends.push({ topic, partition, endOffset: Number(offset) })
      }
    }
  }
  return ends
}
