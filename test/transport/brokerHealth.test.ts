import { expect, test } from 'vitest'
import { BrokerHealth } from '../../src/transport/kafkajs/brokerHealth.js'
import { candidates, orderKnown } from '../../src/transport/kafkajs/candidates.js'

const broker = (nodeId: number) => ({ nodeId, host: 'h', port: nodeId })
const ports = (brokers: readonly { port: number }[]) => brokers.map(({ port }) => port)

test('a failure counts for a time that doubles with each, up to ten seconds', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:1', 1_000)
  expect([1_249, 1_250].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  health.noteFailure('h:1', 2_000)
  expect([2_499, 2_500].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  for (let i = 0; i < 100; i++) health.noteFailure('h:1', 3_000)
  expect([12_999, 13_000].map(now => health.failedLately('h:1', now))).toEqual([true, false])
  health.noteSuccess('h:1')
  expect(health.failedLately('h:1', 3_000)).toBe(false)
})

test('addresses that are no longer known are forgotten', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:1', 0)
  health.noteFailure('h:2', 0)
  health.keepOnly(new Set(['h:2']))
  expect([health.failedLately('h:1', 1), health.failedLately('h:2', 1)]).toEqual([false, true])
})

test('the order: healthy ones from the turn on, the one to avoid, and after the seeds those that failed', () => {
  const health = new BrokerHealth()
  health.noteFailure('h:2', 0)
  const order = orderKnown([broker(0), broker(1), broker(2), broker(3)], health, 3, 6, 1)
  expect(ports(order.first)).toEqual([0, 1, 3])
  expect(ports(order.last)).toEqual([2])
  expect(orderKnown([], health, undefined, 5, 0)).toEqual({ first: [], last: [] })
})

test('each address is a candidate once, and the seeds end where they repeat', async () => {
  const seeds = [broker(8), broker(0), broker(9), broker(8)]
  const all = []
  const order = { first: [broker(0)], last: [broker(9), broker(5)] }
  for await (const each of candidates(order, async () => seeds.shift()!)) all.push(each)
  expect(ports(all.map(({ address }) => address))).toEqual([0, 8, 9, 5])
  expect(seeds).toEqual([])
})
