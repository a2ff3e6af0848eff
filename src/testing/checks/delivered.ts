import { inspect, isDeepStrictEqual } from 'node:util'
import { isBytes } from '../../util/realms.js'
import type { EmbeddedKafka } from '../cluster.js'
import type { StoredRecord } from './records.js'

/** A record as a test expects it; what is left out may be anything. */
export interface ExpectedRecord {
  /** The key, as text (UTF-8) or bytes; null: no key. */
  readonly key?: string | Uint8Array | null
  /** The value. Text and bytes are compared as they are, anything else with what the value holds as JSON. */
  readonly value?: unknown
  /** Headers that the record must have; it may have others. */
  readonly headers?: Readonly<Record<string, string | Uint8Array | null>>
  /** The partition it must be in. */
  readonly partition?: number
}

/** How long {@link delivered} and {@link assertDelivered} wait. */
export interface DeliveredOptions {
  /**
   * How long to wait, in ms.
   *
   * @defaultValue 5000 ms
   */
  readonly timeoutMs?: number
}

const DEFAULT_TIMEOUT_MS = 5_000
const SHOWN_RECORDS = 10

/** Waits for what the logs are to show, looked at on each request and each answer. Resolves to whether they did in time. */
const shownInTime = async (
  { journal }: EmbeddedKafka,
  shows: () => boolean,
  timeoutMs: number,
): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  const timeout = new Promise<void>(resolve => {
    timer = setTimeout(() => {
      isOver = true
      resolve()
    }, timeoutMs)
  })
  // The journal forgets who waits there in vain at its next entry.
  await Promise.race([journal.until(() => isOver || shows()), timeout])
  clearTimeout(timer)
  return !isOver || shows()
}

const committed = (cluster: EmbeddedKafka, topic: string): StoredRecord[] =>
  cluster.records(topic, undefined, 'committed')

/**
 * Waits until a topic holds that many records, not counting those of open and aborted transactions, and returns all that it holds, partition
 * by partition.
 *
 * @param count - 1 by default
 * @throws an Error when they are not there in time
 * @example
 * const [record] = await delivered(cluster, 'orders')
 * console.log(record?.value?.toString())
 */
export const delivered = async (
  cluster: EmbeddedKafka,
  topic: string,
  count = 1,
  { timeoutMs = DEFAULT_TIMEOUT_MS }: DeliveredOptions = {},
): Promise<StoredRecord[]> => {
  const hasAll = () => committed(cluster, topic).length >= count
  if (await shownInTime(cluster, hasAll, timeoutMs)) return committed(cluster, topic)
  const found = committed(cluster, topic)
  throw new Error(
    [`topic ${topic} holds ${found.length} records, not ${count}`, ...listed(found, shown)].join('\n'),
  )
}

const isSame = (stored: Buffer | null, expected: unknown): boolean => {
  if (stored === null || expected === null) return stored === expected
  if (typeof expected === 'string' || isBytes(expected)) return stored.equals(Buffer.from(expected as string))
  try {
    return isDeepStrictEqual(JSON.parse(stored.toString()), JSON.parse(JSON.stringify(expected)))
  } catch {
    return false
  }
}

const fits = (record: StoredRecord, expected: ExpectedRecord): boolean =>
  (expected.partition === undefined || expected.partition === record.partition) &&
  (expected.key === undefined || isSame(record.key, expected.key)) &&
  (expected.value === undefined || isSame(record.value, expected.value)) &&
  Object.entries(expected.headers ?? {}).every(([name, value]) =>
    record.headers.some(header => header.key === name && isSame(header.value, value)),
  )

/** Whether the records are the expected ones, each partition's in the expected order; between partitions there is none. */
const isInOrder = (records: readonly StoredRecord[], expected: readonly ExpectedRecord[]): boolean => {
  const byPartition = [...new Set(records.map(({ partition }) => partition))].map(each =>
    records.filter(({ partition }) => partition === each),
  )
  const refuted = new Set<string>()
  const explains = (at: number, heads: readonly number[]): boolean => {
    const wanted = expected[at]
    if (wanted === undefined) return true
    const state = heads.join()
    if (refuted.has(state)) return false
    const found = byPartition.some((log, i) => {
      const record = log[heads[i]!]
      return record !== undefined && fits(record, wanted) && explains(at + 1, heads.with(i, heads[i]! + 1))
    })
    if (!found) refuted.add(state)
    return found
  }
  return (
    records.length === expected.length &&
    explains(
      0,
      byPartition.map(() => 0),
    )
  )
}

const shown = ({ partition, offset, key, value, headers }: StoredRecord): string => {
  const text = (bytes: Buffer | null) => (bytes === null ? 'null' : JSON.stringify(bytes.toString()))
  const pairs = headers.map(each => ` ${each.key}=${text(each.value)}`).join('')
  return `partition ${partition} offset ${offset}: key ${text(key)} value ${text(value)}${pairs}`
}

const listed = <T>(items: readonly T[], show: (item: T) => string): string[] => {
  const lines = items.slice(0, SHOWN_RECORDS).map(each => `  ${show(each)}`)
  return items.length > SHOWN_RECORDS ? [...lines, `  and ${items.length - SHOWN_RECORDS} more`] : lines
}

/** What is wrong with a topic's committed records; undefined: they are the expected ones, each once, in their order. */
export const differenceFrom = (
  cluster: EmbeddedKafka,
  topic: string,
  expected: readonly ExpectedRecord[],
): string | undefined => {
  const records = committed(cluster, topic)
  if (isInOrder(records, expected)) return undefined
  const surplus = [...records]
  const missing = expected.filter(wanted => {
    const at = surplus.findIndex(record => fits(record, wanted))
    if (at >= 0) surplus.splice(at, 1)
    return at < 0
  })
  const lines = [`topic ${topic} holds ${records.length} records, ${expected.length} were expected`]
  if (missing.length > 0)
    lines.push('missing:', ...listed(missing, each => inspect(each, { breakLength: Infinity })))
  if (surplus.length > 0) lines.push('not expected:', ...listed(surplus, shown))
  if (lines.length === 1) lines.push('in another order:', ...listed(records, shown))
  return lines.join('\n')
}

/**
 * Waits until a topic's committed records are the expected ones: each once, no others, and those of each partition in the expected order. The
 * matcher `toHaveDelivered` is the same for `expect`.
 *
 * @throws an Error that lists what is missing and what was not expected, when they are not there in time
 * @example await assertDelivered(cluster, 'orders', [{ key: 'o-1', value: { total: 12 } }])
 */
export const assertDelivered = async (
  cluster: EmbeddedKafka,
  topic: string,
  expected: readonly ExpectedRecord[],
  { timeoutMs = DEFAULT_TIMEOUT_MS }: DeliveredOptions = {},
): Promise<void> => {
  const isDelivered = () => differenceFrom(cluster, topic, expected) === undefined
  if (await shownInTime(cluster, isDelivered, timeoutMs)) return
  throw new Error(differenceFrom(cluster, topic, expected))
}
