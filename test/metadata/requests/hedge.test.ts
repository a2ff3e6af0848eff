import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { askHedged, type HedgeAttempt } from '../../../src/metadata/requests/hedge.js'
import { gate } from '../scriptedCluster.js'

let first: ReturnType<typeof gate<string>>
let second: ReturnType<typeof gate<string>>
let sent: HedgeAttempt[]
let late: string[]

beforeEach(() => {
  vi.useFakeTimers()
  first = gate<string>()
  second = gate<string>()
  sent = []
  late = []
})
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

const ask = (canHedge = true) =>
  askHedged({
    lateAfterMs: 250,
    send: attempt => {
      sent.push(attempt)
      return attempt === 'first' ? first.opened : second.opened
    },
    canHedge: () => canHedge,
    onLateAnswer: answer => late.push(answer),
  })
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

it('sends one request where that is answered in time', async () => {
  const asked = ask()
  await pass(249)
  first.open('a')
  await expect(asked).resolves.toEqual({ answer: 'a', attempt: 'first' })
  await pass(1000)
  expect(sent).toEqual(['first'])
})

it('takes the second answer where the first is late, and hands that on when it comes', async () => {
  const asked = ask()
  await pass(250)
  expect(sent).toEqual(['first', 'second'])
  second.open('b')
  await expect(asked).resolves.toEqual({ answer: 'b', attempt: 'second' })
  first.open('a')
  await pass(0)
  expect(late).toEqual(['a'])
})

it('takes the first answer where the second is later still', async () => {
  const asked = ask()
  await pass(300)
  first.open('a')
  await expect(asked).resolves.toEqual({ answer: 'a', attempt: 'first' })
  second.open('b')
  await pass(0)
  expect(late).toEqual(['b'])
})

it('fails only when both have failed, with the error of the first', async () => {
  const asked = expect(ask()).rejects.toThrow('first')
  await pass(300)
  second.fail(new Error('second'))
  await pass(10)
  first.fail(new Error('first'))
  await asked
})

it.each(['first', 'second'] as const)('outlasts the failure of the %s one', async failing => {
  const asked = ask()
  await pass(300)
  const [failed, other] = failing === 'first' ? [first, second] : [second, first]
  failed.fail(new Error('gone'))
  await pass(10)
  other.open('x')
  await expect(asked).resolves.toMatchObject({ answer: 'x' })
  expect(late).toEqual([])
})

it('fails at once with a request that fails in time', async () => {
  const asked = expect(ask()).rejects.toThrow('refused')
  await pass(100)
  first.fail(new Error('refused'))
  await asked
  expect(sent).toEqual(['first'])
})

it('waits for the first where there is nobody else to ask', async () => {
  const asked = ask(false)
  await pass(1000)
  first.open('a')
  await expect(asked).resolves.toEqual({ answer: 'a', attempt: 'first' })
  expect(sent).toEqual(['first'])
})
