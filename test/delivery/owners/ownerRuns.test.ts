import { describe, expect, test } from 'vitest'
import { OwnerRuns } from '../../../src/delivery/owners/ownerRuns.js'
import type { RecordCompletion } from '../../../src/delivery/owners/recordCompletion.js'

const owner = (): RecordCompletion => ({ size: 0, acknowledged() {}, written() {}, failed() {} })

const listed = (runs: OwnerRuns) => {
  const list: [RecordCompletion | null, number, number][] = []
  runs.forEach((...run) => {
    list.push(run)
  })
  return list
}

describe('whose records stand in a batch', () => {
  test('nobody has one in an empty batch', () => {
    expect(listed(new OwnerRuns())).toEqual([])
  })

  test("an owner's records in a row are one run", () => {
    const [one, runs] = [owner(), new OwnerRuns()]
    for (let first = 0; first < 3; first++) runs.add(one, first)
    expect(listed(runs)).toEqual([[one, 0, 3]])
  })

  test("an owner's records with others' between them are several, each with its place among the owner's", () => {
    const [one, other, runs] = [owner(), owner(), new OwnerRuns()]
    runs.add(one, 0)
    runs.add(one, 1)
    runs.add(other, 0)
    runs.add(one, 2)
    expect(listed(runs)).toEqual([
      [one, 0, 2],
      [other, 0, 1],
      [one, 2, 1],
    ])
  })

  test('what was taken out of a batch leaves a gap', () => {
    const [one, runs] = [owner(), new OwnerRuns()]
    for (const first of [0, 2, 3]) runs.add(one, first)
    expect(listed(runs)).toEqual([
      [one, 0, 1],
      [one, 2, 2],
    ])
  })

  test('records for which nobody waits are one run', () => {
    const [one, runs] = [owner(), new OwnerRuns()]
    runs.add(null, 0)
    runs.add(null, 0)
    runs.add(one, 0)
    runs.add(null, 0)
    expect(listed(runs)).toEqual([
      [null, 0, 2],
      [one, 0, 1],
      [null, 0, 1],
    ])
  })
})
