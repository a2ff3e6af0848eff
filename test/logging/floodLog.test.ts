import type { Logger } from 'kafkajs'
import { expect, test } from 'vitest'
import { FIRST_LINE_AFTER_MS, FloodLog, NEXT_LINE_AFTER_MS } from '../../src/logging/floodLog.js'
import { FakeClock } from '../waits/fakeClock.js'

const start = () => {
  const clock = new FakeClock()
  const lines: { message: string; extra: unknown }[] = []
  const error = (message: string, extra?: object) => lines.push({ message, extra })
  const flood = new FloodLog({ error } as unknown as Logger, clock)
  let made = 0
  const fail = (cause = 'DeliveryTimeoutError', count = 1): void =>
    flood.report(
      cause,
      () => {
        made++
        return {
          one: `A record failed: ${cause}`,
          many: `records failed, the first: ${cause}`,
          details: { topic: 't' },
        }
      },
      count,
    )
  return { clock, lines, flood, fail, made: () => made, messages: () => lines.map(({ message }) => message) }
}

test('one failure is one line in the singular, and then there is no timer', () => {
  const { clock, fail, lines } = start()
  fail()
  clock.advance(FIRST_LINE_AFTER_MS)
  expect(lines).toEqual([{ message: 'A record failed: DeliveryTimeoutError', extra: { topic: 't' } }])
  clock.advance(NEXT_LINE_AFTER_MS)
  expect(clock.armed).toBe(0)
  expect(lines).toHaveLength(1)
})

test('200,000 failures for one reason are one line with their count, whose text is made once', () => {
  const { clock, fail, messages, made } = start()
  for (let i = 0; i < 200_000; i++) fail()
  clock.advance(60_000)
  expect(messages()).toEqual(['200000 records failed, the first: DeliveryTimeoutError'])
  expect(made()).toBe(1)
})

test('while they go on, there is a line every 5 s, and none is left uncounted', () => {
  const { clock, fail, lines, flood } = start()
  for (let i = 0; i < 120; i++) {
    fail('x', 10)
    clock.advance(100)
  }
  flood.flush()
  expect(lines.length).toBeLessThanOrEqual(4)
  const counts = lines.map(({ extra }) => (extra as { count: number }).count)
  expect(counts.reduce((sum, each) => sum + each, 0)).toBe(1200)
  expect(clock.armed).toBe(0)
})

test('another cause does not wait for the summary of the first', () => {
  const { clock, fail, messages } = start()
  fail('a')
  clock.advance(FIRST_LINE_AFTER_MS)
  fail('b')
  clock.advance(FIRST_LINE_AFTER_MS)
  expect(messages()).toEqual(['A record failed: a', 'A record failed: b'])
})

test('the number of causes is bounded', () => {
  const { clock, fail, lines } = start()
  for (let i = 0; i < 1000; i++) fail(`cause ${i}`)
  clock.advance(60_000)
  expect(lines.length).toBeLessThanOrEqual(51)
  expect((lines.at(-1)!.extra as { count: number }).count).toBe(950)
})

test('what is gathered is written at the end', () => {
  const { clock, fail, flood, messages } = start()
  fail()
  flood.flush()
  flood.flush()
  expect(messages()).toEqual(['A record failed: DeliveryTimeoutError'])
  expect(clock.armed).toBe(0)
})
