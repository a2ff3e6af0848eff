import { describe, expect, it } from 'vitest'
import { Tally } from '../../../../src/cli/commands/produce/tally.js'

const tallyWithLog = (verbose = false) => {
  const log: string[] = []
  return { tally: new Tally(line => log.push(line), verbose), log }
}
const at = (line: number) => ({ source: 'in.ndjson', line })

describe('Tally', () => {
  it('sums up what ended how', () => {
    const { tally } = tallyWithLog()
    tally.accepted = 4
    tally.recordDelivered('a')
    tally.recordDelivered('b')
    expect(tally.outstanding).toBe(2)
    expect(tally.allDelivered).toBe(true)
    expect(tally.progress(500)).toBe('2 delivered · 2 on the way · 4 records/s · 500 ms')
    tally.recordFailed(at(3), 'a', new Error('no'))
    tally.lineMalformed(at(4), 'not JSON')
    expect(tally.allDelivered).toBe(false)
    expect(tally.summary(1500)).toBe('2 records delivered to 2 topics in 1.5 s, 1 failed, 1 malformed line')
  })

  it('says nothing of topics when nothing was delivered', () => {
    expect(tallyWithLog().tally.summary(0)).toBe('0 records delivered in 0 ms')
  })

  it('names file and line of a malformed line, of the first twenty', () => {
    const { tally, log } = tallyWithLog()
    for (let line = 1; line <= 30; line++) tally.lineMalformed(at(line), 'bad')
    expect(log).toHaveLength(21)
    expect(log[0]).toBe('in.ndjson:1: bad')
    expect(log[20]).toContain('--verbose')
    expect(tally.malformed).toBe(30)
  })

  it('tells a failure once for each topic and kind, and how many followed', () => {
    const { tally, log } = tallyWithLog()
    for (let line = 1; line <= 5; line++) tally.recordFailed(at(line), 'a', new TypeError(`message ${line}`))
    tally.recordFailed(at(6), 'a', new RangeError('other'))
    tally.recordFailed(at(7), 'b', new TypeError('message'))
    expect(log).toEqual([
      'in.ndjson:1: not delivered: message 1',
      'in.ndjson:6: not delivered: other',
      'in.ndjson:7: not delivered: message',
    ])
    expect([...tally.repeats()]).toEqual(['a: 4 more records not delivered for the same reason'])
  })

  it('stays short for thousands of failing topics, and accounts for each record', () => {
    const { tally, log } = tallyWithLog()
    for (let topic = 0; topic < 1000; topic++) {
      tally.recordFailed(at(topic), `t${topic}`, new Error('no'))
      tally.recordFailed(at(topic), `t${topic}`, new Error('no'))
    }
    expect(log).toHaveLength(20)
    const repeats = [...tally.repeats()]
    expect(repeats).toHaveLength(21)
    expect(repeats.at(-1)).toMatch(/^1,960 more records not delivered, to other topics/)
  })

  it('tells everything when verbose', () => {
    const { tally, log } = tallyWithLog(true)
    for (let line = 1; line <= 50; line++) {
      tally.lineMalformed(at(line), 'bad')
      tally.recordFailed(at(line), 'a', new Error('no'))
    }
    expect(log).toHaveLength(100)
    expect([...tally.repeats()]).toEqual([])
  })
})
