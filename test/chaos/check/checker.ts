import { type LedgerData, STATE } from '../load/ledger.js'
import { HIDDEN, type StoredLog } from './storedLog.js'

/** Everything that can be wrong. */
export const FAULT_KINDS = [
  /** Acknowledged, and not in the log. */
  'lost',
  /** A further copy in the log. */
  'doubled',
  /** Behind one of its partition that was offered later. */
  'reordered',
  /** In the log, but not at the partition and offset of its acknowledgement. */
  'misplaced',
  /** In the log, although the client said that it was not written. */
  'deniedButWritten',
  /** In the log, and not offered to that topic by this run, or damaged. */
  'foreign',
  /** Read and told end offsets differ, or offsets are missing between. */
  'misread',
] as const
export type FaultKind = (typeof FAULT_KINDS)[number]

export interface Findings {
  readonly offered: number
  readonly acknowledged: number
  readonly failed: number
  /** Sends that have not ended. */
  readonly hung: number
  /** Records in the logs. */
  readonly stored: number
  /** Acknowledged by a topic that was then deleted, and so not looked for. */
  readonly excused: number
  readonly faults: Readonly<Record<FaultKind, number>>
  /** The first of each kind, in words. */
  readonly examples: readonly string[]
}

export interface CheckOptions {
  /** A topic that was deleted: what was acknowledged before this moment may have gone with it. ms since 1970 */
  readonly deletedBefore?: Readonly<Record<string, number>>
}

const EXAMPLES_OF_A_KIND = 3

class Tally {
  readonly faults = Object.fromEntries(FAULT_KINDS.map(kind => [kind, 0])) as Record<FaultKind, number>
  readonly examples: string[] = []

  add(kind: FaultKind, detail: () => string): void {
    if (++this.faults[kind] <= EXAMPLES_OF_A_KIND) this.examples.push(`${kind}: ${detail()}`)
  }
}

/**
 * Compares what a client was offered, and what it said, with what all partitions hold.
 *
 * A later record that stands before an earlier one counts the earlier one as reordered; a further copy counts as
 * doubled, and not as reordered as well.
 */
export const check = (
  ledger: LedgerData,
  logs: readonly StoredLog[],
  { deletedBefore = {} }: CheckOptions = {},
): Findings => {
  const tally = new Tally()
  const seen = new Uint8Array(ledger.count)
  let stored = 0
  for (const log of logs) {
    stored += log.numbers.filter(number => number !== HIDDEN).length
    checkOffsets(log, tally)
    checkLog(ledger, log, seen, tally)
  }
  let acknowledged = 0
  let failed = 0
  let hung = 0
  let excused = 0
  for (let number = 0; number < ledger.count; number++) {
    const state = ledger.state[number]
    if (state === STATE.pending) hung++
    else if (state !== STATE.acknowledged) failed++
    else {
      acknowledged++
      if (seen[number] !== 0) continue
      const topic = topicOf(ledger, number)
      if (ledger.endedAt[number]! < (deletedBefore[topic] ?? 0)) excused++
      else tally.add('lost', () => described(ledger, number))
    }
  }
  const { faults, examples } = tally
  return { offered: ledger.count, acknowledged, failed, hung, stored, excused, faults, examples }
}

const checkOffsets = ({ topic, partition, offsets, endOffset }: StoredLog, tally: Tally): void => {
  const place = `${topic} [${partition}]`
  let expected = 0
  for (const offset of offsets) {
    if (offset !== expected) {
      const gap = expected
      tally.add('misread', () => `${place}: offset ${offset} follows where ${gap} should`)
    }
    expected = offset + 1
  }
  if (expected !== endOffset) {
    const end = expected
    tally.add('misread', () => `${place}: read up to ${end}, the broker says ${endOffset}`)
  }
}

const checkLog = (ledger: LedgerData, log: StoredLog, seen: Uint8Array, tally: Tally): void => {
  let highest = -1
  for (let row = 0; row < log.numbers.length; row++) {
    const number = log.numbers[row]!
    if (number === HIDDEN) continue
    const at = (): string => `stands in ${log.topic} [${log.partition}] at ${log.offsets[row]}`
    if (number < 0 || number >= ledger.count || topicOf(ledger, number) !== log.topic) {
      tally.add('foreign', () => `record ${number} ${at()}`)
      continue
    }
    const says = (): string => `${described(ledger, number)} ${at()}`
    if (seen[number] !== 0) {
      tally.add('doubled', says)
      continue
    }
    seen[number] = 1
    if (number < highest) {
      const before = highest
      tally.add('reordered', () => `${says()}, behind record ${before}`)
    } else highest = number
    if (ledger.state[number] === STATE.refused) tally.add('deniedButWritten', says)
    if (ledger.state[number] === STATE.acknowledged && isMisplaced(ledger, number, log, row)) {
      tally.add('misplaced', says)
    }
  }
}

const isMisplaced = (ledger: LedgerData, number: number, log: StoredLog, row: number): boolean => {
  const partition = ledger.partition[number]!
  const offset = ledger.offset[number]!
  return (partition >= 0 && partition !== log.partition) || (offset >= 0 && offset !== log.offsets[row])
}

const topicOf = (ledger: LedgerData, number: number): string => ledger.topics[ledger.topic[number]!]!

const described = (ledger: LedgerData, number: number): string => {
  const ended = ledger.endedAt[number]!
  const after = ended > 0 ? ` after ${Math.round(ended - ledger.offeredAt[number]!)} ms` : ''
  const state = ['pending', 'acknowledged', 'refused', 'failed'][ledger.state[number]!]
  const place = `${topicOf(ledger, number)} [${ledger.partition[number]}] at ${ledger.offset[number]}`
  return `record ${number} (offered ${new Date(ledger.offeredAt[number]!).toISOString()}, ${state}${after}, ${place})`
}

/** Whether nothing is lost, doubled, reordered or said wrongly; failed and hung sends are another matter. */
export const isSound = ({ faults }: Findings): boolean => FAULT_KINDS.every(kind => faults[kind] === 0)
