import { decodeBatch, isControl, isTransactional } from '../../../src/protocol/records/decode.js'
import { until } from '../cluster/wait.js'
import { readBatches, type StoredBatch } from './logs.js'

/** What the control record of a marker says (ControlRecordType). */
const isCommit = (marker: StoredBatch): boolean =>
  decodeBatch(marker.bytes).records[0]?.key?.readInt16BE(2) === 1

const placeOf = ({ topic, partition, header }: StoredBatch): string =>
  `${header.producerId} ${partition} ${topic}`

export interface CommittedRecord {
  readonly topic: string
  readonly partition: number
  readonly value: string
}

/** Records by what the markers in the logs say of them, whatever a broker or a client makes of that. */
export interface TransactionalLogs {
  readonly committed: readonly CommittedRecord[]
  readonly aborted: readonly CommittedRecord[]
  /** Of transactions without an end. */
  readonly open: readonly CommittedRecord[]
}

const recordsOf = ({ topic, partition, bytes }: StoredBatch): CommittedRecord[] =>
  decodeBatch(bytes).records.map(({ value }) => ({ topic, partition, value: String(value) }))

/** Of whole logs: all but the batches of transactions that were aborted. */
export const withoutAborted = (batches: readonly StoredBatch[]): StoredBatch[] => {
  const aborted = new Set<StoredBatch>()
  const open = new Map<string, StoredBatch[]>()
  for (const batch of batches) {
    const place = placeOf(batch)
    if (isControl(batch.header)) {
      if (!isCommit(batch)) for (const each of open.get(place) ?? []) aborted.add(each)
      open.delete(place)
    } else if (isTransactional(batch.header)) {
      open.set(place, [...(open.get(place) ?? []), batch])
    }
  }
  return batches.filter(batch => !aborted.has(batch))
}

/** Reads whole logs; those outside of transactions count as committed. */
export async function readTransactionalLogs(
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<TransactionalLogs> {
  const committed: CommittedRecord[] = []
  const aborted: CommittedRecord[] = []
  const open = new Map<string, CommittedRecord[]>()
  for (const batch of await readBatches(bootstrap, topics)) {
    const place = placeOf(batch)
    if (isControl(batch.header)) {
      ;(isCommit(batch) ? committed : aborted).push(...(open.get(place) ?? []))
      open.delete(place)
    } else if (isTransactional(batch.header)) {
      open.set(place, [...(open.get(place) ?? []), ...recordsOf(batch)])
    } else {
      committed.push(...recordsOf(batch))
    }
  }
  return { committed, aborted, open: [...open.values()].flat() }
}

/** The same once every transaction has its end in every partition: a coordinator answers first, and writes the markers then. */
export const readEndedTransactions = (
  bootstrap: readonly string[],
  topics: readonly string[],
): Promise<TransactionalLogs> =>
  until(
    'the ends of all transactions',
    async () => {
      const logs = await readTransactionalLogs(bootstrap, topics)
      return logs.open.length === 0 ? logs : undefined
    },
    { timeoutMs: 60_000 },
  )
