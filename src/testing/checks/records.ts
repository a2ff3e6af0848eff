import { decodeBatch, isControl } from '../../protocol/records/decode.js'
import { type LogEntry, servedBytes } from '../state/log.js'
import type { Partition } from '../state/topics/topic.js'

/** A record in a log of the cluster. */
export interface StoredRecord {
  /** Its topic. */
  readonly topic: string
  /** Its partition. */
  readonly partition: number
  /** Its offset. */
  readonly offset: number
  /** Its key; null without one. */
  readonly key: Buffer | null
  /** Its value; null for a tombstone. */
  readonly value: Buffer | null
  /** Its headers, in their order; a name may occur more than once. */
  readonly headers: readonly { readonly key: string; readonly value: Buffer | null }[]
  /** In ms since 1970. */
  readonly timestamp: number
  /** The id of the producer that wrote it; -1 without idempotence. */
  readonly producerId: number
  /** The producer's epoch; -1 without idempotence. */
  readonly producerEpoch: number
  /** The record's own sequence; -1 without idempotence. */
  readonly sequence: number
}

const recordsOf = (partition: Partition, entry: LogEntry): StoredRecord[] => {
  const { header, records } = decodeBatch(servedBytes([entry]))
  if (isControl(header)) return []
  return records.map((record, index) => ({
    topic: partition.topic,
    partition: partition.index,
    offset: Number(record.offset),
    key: record.key,
    value: record.value,
    headers: record.headers,
    timestamp: Number(record.timestamp),
    producerId: Number(header.producerId),
    producerEpoch: header.producerEpoch,
    sequence: header.producerId < 0n ? -1 : (header.baseSequence + index) % 2 ** 31,
  }))
}

/** `committed`: without the records of transactions that are open or were aborted. */
export type Isolation = 'committed' | 'uncommitted'

/** Records of a partition in the order of their offsets; transaction markers are left out. */
export const readPartition = (partition: Partition, isolation: Isolation): StoredRecord[] => {
  const { log } = partition
  const records = log.from(0).flatMap(entry => recordsOf(partition, entry))
  if (isolation === 'uncommitted') return records
  const aborted = log.abortedIn(0, log.endOffset)
  const isAborted = ({ offset, producerId }: StoredRecord): boolean =>
    aborted.some(
      each => each.producerId === producerId && offset >= each.firstOffset && offset <= each.lastOffset,
    )
  return records.filter(record => record.offset < log.lastStableOffset && !isAborted(record))
}
