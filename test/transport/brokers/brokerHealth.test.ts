import { expect, test } from 'vitest'
import { BrokerHealth } from '../../../src/transport/brokers/brokerHealth.js'
import { candidates, orderKnown } from '../../../src/transport/brokers/candidates.js'

const broker = (nodeId: number) => ({ nodeId, host: 'h', port: nodeId })
const refused = new Error('refused')
const ports = (brokers: readonly { port: number }[]) => brokers.map(({ port }) => port)

test('a failure counts for a time that doubles with each, up to ten seconds', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:1', 1_000, refused)
  expect([1_249, 1_250].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  health.noteFailure('h:1', 2_000, refused)
  expect([2_499, 2_500].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  for (let i = 0; i < 100; i++) health.noteFailure('h:1', 3_000, refused)
  expect([12_999, 13_000].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  health.noteSuccess('h:1')
  expect(health.failedLately('h:1', 3_000)).toBe(false)
})

test('addresses that are no longer known are forgotten', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:1', 0, refused)
  health.noteFailure('h:2', 0, refused)
  health.keepOnly(new Set(['h:2']))
  expect([health.failedLately('h:1', 1), health.failedLately('h:2', 1)]).toEqual([false, true])
})

test('the order: healthy ones from the turn on, the one to avoid, and after the seeds those that failed', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:2', 0, refused)
  const order = orderKnown([broker(0), broker(1), broker(2), broker(3)], health, 3, 6, 1)
  expect(ports(order.first)).toEqual([0, 1, 3])
  expect(ports(order.last)).toEqual([2])
  expect(orderKnown([], health, undefined, 5, 0)).toEqual({ first: [], last: [] })
})

test('a trouble tells its cause, since when, and how often, until it is over', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:1', 1_000, new Error('first'))
  health.noteFailure('h:1', 2_000, refused)
  expect(health.troubles).toEqual([{ broker: 'h:1', cause: refused, since: 1_000, failures: 2 }])
  health.noteSuccess('h:1')
  expect(health.troubles).toEqual([])
})

test('the order of 300,000 brokers is found in one pass', () => {
  let looked = 0
  const health = { failedLately: () => looked++ % 2 === 0 } as unknown as BrokerHealth
  const brokers = Array.from({ length: 300_000 }, (_, nodeId) => broker(nodeId))
  const { first, last } = orderKnown(brokers, health, undefined, 7, 0)
  expect([first.length + last.length, looked]).toEqual([300_000, 300_000])
})

test('each address is a candidate once, and seeds are asked for only when they are needed', async () => {
  const seeds = [broker(8), broker(0), broker(9)]
  const order = { first: [broker(0)], last: [broker(9), broker(5)] }
  const all = candidates(order, async () => seeds.shift())
  expect(await all.next()).toMatchObject({ value: { address: { port: 0 }, origin: 'advertised' } })
  expect(seeds).toHaveLength(3)
  const rest = []
  for await (const { address, origin } of all) rest.push(`${origin} ${address.port}`)
  expect(rest).toEqual(['seed 8', 'seed 9', 'advertised 5'])
})

test('seeds that cannot be had do not hide the brokers that failed lately', async () => {
  const all = candidates({ first: [], last: [broker(5)] }, () => Promise.reject(refused))
  expect(await all.next()).toMatchObject({ value: { address: { port: 5 } } })
  await expect(all.next()).rejects.toBe(refused)
})
