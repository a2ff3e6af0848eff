import type { StoredRecord } from './records.js'

/**
 * What became of a record at its sender. `unknown`: it may be in the log or not, but not twice.
 * `not-written`: the sender said that it is not there.
 */
export type SentOutcome = 'acknowledged' | 'not-written' | 'unknown'

/** One record as its sender saw it, in the order of sending. */
export interface SentRecord {
  /** The topic it was sent to. */
  readonly topic: string
  /** What tells this record from every other of its topic. */
  readonly id: string
  /**
   * What the sender was told.
   *
   * @defaultValue 'acknowledged'
   */
  readonly outcome?: SentOutcome
  /** The partition it was acknowledged in, when it is to be checked. */
  readonly partition?: number
  /** The offset it was acknowledged with, when it is to be checked. */
  readonly offset?: string | number | bigint
}

/** How {@link checkDelivery} compares. */
export interface CheckOptions {
  /**
   * How a stored record shows its id.
   *
   * @defaultValue its header `id`, or else its value, as UTF-8
   * @example { identity: ({ key }) => key?.toString() }
   */
  readonly identity?: (record: StoredRecord) => string | undefined
}

/** One record that is not delivered as its sender was told. */
export interface DeliveryFault {
  /** `misplaced`: not at the partition and offset it was acknowledged with; `written-though-refused`: there, though its sender was told that it is not. */
  readonly kind: 'lost' | 'duplicated' | 'reordered' | 'misplaced' | 'not-sent' | 'written-though-refused'
  /** The record's topic. */
  readonly topic: string
  /** The record's id. */
  readonly id: string
  /** Where it is, and where it should be. */
  readonly detail: string
}

/** What {@link checkDelivery} found. */
export interface DeliveryReport {
  /** True when there are no faults. */
  readonly ok: boolean
  /** How many records were sent. */
  readonly sent: number
  /** How many records the logs hold. */
  readonly stored: number
  /** All faults. */
  readonly faults: readonly DeliveryFault[]
  /** One line with the counts of each kind. */
  readonly summary: string
  /**
   * Does nothing when there are no faults.
   *
   * @throws an Error with the summary and the first faults, when there are any
   * @example cluster.check([{ topic: 'orders', id: 'o-1' }]).assert()
   */
  assert(): void
}

const SHOWN_FAULTS = 10

const identityOf = ({ headers, value }: StoredRecord): string | undefined =>
  (headers.find(({ key }) => key === 'id')?.value ?? value)?.toString()

const where = ({ partition, offset }: StoredRecord): string => `partition ${partition} offset ${offset}`

const report = (sent: number, stored: number, faults: DeliveryFault[]): DeliveryReport => {
  const counts = new Map<string, number>()
  for (const { kind } of faults) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  const found = [...counts].map(([kind, count]) => `${count} ${kind}`).join(', ') || 'nothing wrong'
  const summary = `${sent} sent, ${stored} stored: ${found}`
  return {
    ok: faults.length === 0,
    sent,
    stored,
    faults,
    summary,
    assert: () => {
      if (faults.length === 0) return
      const lines = faults
        .slice(0, SHOWN_FAULTS)
        .map(({ kind, topic, id, detail }) => `  ${kind}: ${topic} ${id} (${detail})`)
      if (faults.length > SHOWN_FAULTS) lines.push(`  and ${faults.length - SHOWN_FAULTS} more`)
      throw new Error([summary, ...lines].join('\n'))
    },
  }
}

/** Records of one partition must stand in the order in which they were sent; a record's second copy counts once. */
const findReordered = (records: readonly StoredRecord[], order: (record: StoredRecord) => number) => {
  const reordered: StoredRecord[] = []
  const highest = new Map<string, number>()
  for (const record of records) {
    const place = `${record.partition}:${record.topic}`
    const position = order(record)
    if (position < 0) continue
    const before = highest.get(place) ?? -1
    if (position < before) reordered.push(record)
    else highest.set(place, position)
  }
  return reordered
}

/**
 * Compares what senders saw with what the logs hold. It finds acknowledged records that are lost, or not where they were acknowledged; records
 * that are there twice, in another order than they were sent in (per partition), or although their sender was told that they are not; and
 * records that nobody sent.
 *
 * @param sent - in the order of sending; records to one partition must be one sender's
 * @param stored - all records of the topics in question, per partition in the order of their offsets
 * @throws an Error when two sent records of a topic have one id
 * @example
 * checkDelivery([{ topic: 'orders', id: 'o-1' }], cluster.records('orders')).assert()
 */
export const checkDelivery = (
  sent: readonly SentRecord[],
  stored: readonly StoredRecord[],
  { identity = identityOf }: CheckOptions = {},
): DeliveryReport => {
  const faults: DeliveryFault[] = []
  const name = (topic: string, id: string) => `${topic}\u0000${id}`
  const sentByName = new Map<string, { record: SentRecord; position: number }>()
  for (const [position, record] of sent.entries()) {
    const key = name(record.topic, record.id)
    if (sentByName.has(key)) throw new Error(`two sent records of ${record.topic} have the id ${record.id}`)
    sentByName.set(key, { record, position })
  }

  const copies = new Map<string, StoredRecord[]>()
  const firstCopies: { record: StoredRecord; position: number }[] = []
  for (const record of stored) {
    const id = identity(record) ?? ''
    const known = sentByName.get(name(record.topic, id))
    if (!known) {
      faults.push({ kind: 'not-sent', topic: record.topic, id, detail: where(record) })
      continue
    }
    const key = name(record.topic, id)
    const others = copies.get(key)
    if (others) {
      others.push(record)
    } else {
      copies.set(key, [record])
      firstCopies.push({ record, position: known.position })
    }
  }

  for (const [key, { record }] of sentByName) {
    const { topic, id, outcome = 'acknowledged', partition, offset } = record
    const found = copies.get(key) ?? []
    const [first] = found
    if (!first) {
      if (outcome === 'acknowledged') faults.push({ kind: 'lost', topic, id, detail: 'in no partition' })
      continue
    }
    if (found.length > 1) {
      faults.push({ kind: 'duplicated', topic, id, detail: found.map(where).join(' and ') })
    }
    if (outcome === 'not-written') {
      faults.push({ kind: 'written-though-refused', topic, id, detail: where(first) })
    }
    const misplaced =
      (partition !== undefined && !found.some(each => each.partition === partition)) ||
      (offset !== undefined && !found.some(each => BigInt(each.offset) === BigInt(offset)))
    if (misplaced) {
      const expected = `acknowledged as partition ${partition ?? '?'} offset ${offset ?? '?'}`
      faults.push({ kind: 'misplaced', topic, id, detail: `${expected}, found at ${where(first)}` })
    }
  }

  const positions = new Map(firstCopies.map(({ record, position }) => [record, position]))
  for (const record of findReordered(stored, each => positions.get(each) ?? -1)) {
    faults.push({
      kind: 'reordered',
      topic: record.topic,
      id: identity(record) ?? '',
      detail: `${where(record)} is after a record that was sent later`,
    })
  }
  return report(sent.length, stored.length, faults)
}
