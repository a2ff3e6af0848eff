import { describe, expect, test } from 'vitest'
import { Ledger } from '../load/ledger.js'
import { type CheckOptions, check, type FaultKind, isSound } from './checker.js'
import { byPlace, failoverOf } from './failover.js'
import { HIDDEN, type StoredLog } from './storedLog.js'

const TOPIC = 'orders'
const PARTITIONS = 2
const RECORDS = 40

interface Row {
  readonly offset: number
  readonly number: number
  readonly leaderEpoch: number
}

/** A run in which everything went well: its ledger, and logs to spoil. */
class Run {
  readonly ledger = new Ledger(7)
  readonly rows: Row[][] = Array.from({ length: PARTITIONS }, () => [])
  readonly ends: number[] = []

  constructor() {
    for (let i = 0; i < RECORDS; i++) {
      const number = this.ledger.offer(TOPIC, i)
      const partition = number % PARTITIONS
      const offset = this.rows[partition]!.length
      this.rows[partition]!.push({ offset, number, leaderEpoch: offset < 10 ? 3 : 5 })
      this.ledger.acknowledge(number, partition, offset, 1_000 + i)
    }
    for (const rows of this.rows) this.ends.push(rows.length)
  }

  get logs(): StoredLog[] {
    return this.rows.map((rows, partition) => ({
      topic: TOPIC,
      partition,
      endOffset: this.ends[partition]!,
      offsets: Float64Array.from(rows, ({ offset }) => offset),
      numbers: Float64Array.from(rows, ({ number }) => number),
      leaderEpochs: Int32Array.from(rows, ({ leaderEpoch }) => leaderEpoch),
    }))
  }

  /** Gives the log offsets without gaps again, as a broker would have. */
  renumber(partition: number): void {
    this.rows[partition] = this.rows[partition]!.map((row, offset) => ({ ...row, offset }))
    this.ends[partition] = this.rows[partition]!.length
  }

  check(options?: CheckOptions) {
    return check(this.ledger.data(), this.logs, options)
  }
}

const faultsOf = (run: Run, options?: CheckOptions): Partial<Record<FaultKind, number>> =>
  Object.fromEntries(Object.entries(run.check(options).faults).filter(([, count]) => count > 0))

test('a run in which everything went well is sound, and every record of it was read', () => {
  const findings = new Run().check()
  expect(isSound(findings)).toBe(true)
  expect(findings).toMatchObject({
    offered: RECORDS,
    acknowledged: RECORDS,
    stored: RECORDS,
    failed: 0,
    hung: 0,
  })
})

test('what readers of committed records do not see takes its offsets, and stands for no record', () => {
  const run = new Run()
  const hide = (row: number) => {
    run.rows[0]![row] = { ...run.rows[0]![row]!, number: HIDDEN }
  }
  run.rows[0]!.push({ offset: 20, number: HIDDEN, leaderEpoch: 5 })
  run.ends[0] = 21
  expect(run.check()).toMatchObject({ stored: RECORDS })
  expect(isSound(run.check())).toBe(true)
  // A record of an aborted transaction that was acknowledged is lost to them.
  hide(3)
  expect(faultsOf(run)).toEqual({ lost: 1 })
  expect(run.check()).toMatchObject({ stored: RECORDS - 1 })
})

describe('planted', () => {
  test('losses, at the end of a log and in its middle', () => {
    const run = new Run()
    run.rows[0]!.splice(4, 1)
    run.renumber(0)
    run.rows[1]!.pop()
    run.renumber(1)
    // What follows the one in the middle moved up, and is not where it was acknowledged.
    expect(faultsOf(run)).toEqual({ lost: 2, misplaced: 15 })
  })

  test('a double, that is no reorder as well', () => {
    const run = new Run()
    run.rows[0]!.push({ ...run.rows[0]![3]!, offset: run.rows[0]!.length })
    run.renumber(0)
    expect(faultsOf(run)).toEqual({ doubled: 1 })
  })

  test('a double in another partition', () => {
    const run = new Run()
    run.rows[1]!.push({ ...run.rows[0]![3]!, offset: run.rows[1]!.length })
    run.renumber(1)
    expect(faultsOf(run)).toEqual({ doubled: 1 })
  })

  test('a reorder: each record that comes after a later one', () => {
    const run = new Run()
    const [moved] = run.rows[0]!.splice(9, 1)
    run.rows[0]!.splice(6, 0, moved!)
    run.renumber(0)
    expect(faultsOf(run)).toMatchObject({ reordered: 3 })
    expect(run.check().examples.join('\n')).toMatch(/reordered: record 12 .* behind record 18/)
  })

  test('an acknowledgement with a wrong offset', () => {
    const run = new Run()
    const late = run.ledger.offer(TOPIC, 50)
    run.rows[0]!.push({ offset: run.rows[0]!.length, number: late, leaderEpoch: 5 })
    run.renumber(0)
    run.ledger.acknowledge(late, 0, 3, 60)
    expect(faultsOf(run)).toEqual({ misplaced: 1 })
  })

  test('a record that the client said was not written', () => {
    const run = new Run()
    const refused = run.ledger.offer(TOPIC, 50)
    run.ledger.fail(refused, 'not-written', 60)
    run.rows[0]!.push({ offset: run.rows[0]!.length, number: refused, leaderEpoch: 5 })
    run.renumber(0)
    expect(faultsOf(run)).toEqual({ deniedButWritten: 1 })
  })

  test('records that nobody offered, or to another topic', () => {
    const run = new Run()
    const elsewhere = run.ledger.offer('payments', 50)
    run.ledger.fail(elsewhere, 'unknown', 60)
    for (const number of [-1, RECORDS + 1, elsewhere]) {
      run.rows[0]!.push({ offset: run.rows[0]!.length, number, leaderEpoch: 5 })
    }
    run.renumber(0)
    expect(faultsOf(run)).toEqual({ foreign: 3 })
  })

  test('a reader that stopped too early, or left something out', () => {
    const run = new Run()
    run.ends[0]! += 1
    run.rows[1]!.splice(5, 1)
    expect(faultsOf(run)).toEqual({ misread: 2, lost: 1 })
  })
})

test('a failed record of unknown outcome may be in the log, or not', () => {
  const run = new Run()
  for (const isWritten of [true, false]) {
    const number = run.ledger.offer(TOPIC, 50)
    run.ledger.fail(number, 'unknown', 60)
    if (isWritten) run.rows[0]!.push({ offset: 0, number, leaderEpoch: 5 })
  }
  run.renumber(0)
  expect(run.check()).toMatchObject({ failed: 2, faults: { lost: 0, deniedButWritten: 0 } })
})

test('a send that has not ended is counted as hung, whether its record was written or not', () => {
  const run = new Run()
  run.ledger.offer(TOPIC, 50)
  expect(run.check()).toMatchObject({ hung: 1, faults: { lost: 0 } })
})

test('what a deleted topic had acknowledged before its end is excused, and nothing after it', () => {
  const run = new Run()
  run.rows[0]!.splice(0, 20)
  run.renumber(0)
  run.rows[1]!.splice(0, 20)
  run.renumber(1)
  expect(run.check({ deletedBefore: { [TOPIC]: 1_030 } })).toMatchObject({
    excused: 30,
    faults: { lost: 10 },
  })
})

test('a record cannot end twice', () => {
  const { ledger } = new Run()
  expect(() => ledger.fail(0, 'unknown', 99)).toThrow('ended twice')
})

describe('failover', () => {
  const loss = {
    at: 900,
    node: 1,
    how: 'killed',
    partitions: [
      { topic: TOPIC, partition: 0, leaderEpoch: 3 },
      { topic: TOPIC, partition: 1, leaderEpoch: 5 },
    ],
  } as const

  test('is timed by the first record of a later leader epoch, where there is one', () => {
    const run = new Run()
    // Offset 10 of partition 0 is record 20, acknowledged at 1020; partition 1 got no successor.
    expect(failoverOf(loss, run.ledger.data(), byPlace(run.logs)).delaysMs).toEqual([120])
  })

  test('is not timed by a record that was never acknowledged', () => {
    const run = new Run()
    const pending = run.ledger.offer(TOPIC, 50)
    run.rows[0]!.splice(10, 10, { offset: 10, number: pending, leaderEpoch: 5 })
    expect(failoverOf(loss, run.ledger.data(), byPlace(run.logs)).delaysMs).toEqual([])
  })
})
