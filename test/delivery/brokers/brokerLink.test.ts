import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BrokerLink, type BrokerLinkOwner } from '../../../src/delivery/brokers/brokerLink.js'
import { BrokerProduceLink } from '../../../src/transport/pool/produceLink.js'
import type { ProduceLink } from '../../../src/transport/port.js'
import { TOPIC, turns, World } from '../support/world.js'

/* A connection that logs in again while its producer closes. */

let preparation: Promise<void>
let succeed: () => void
let fail: () => void
beforeEach(() => {
  preparation = new Promise((resolve, reject) => {
    succeed = resolve
    fail = () => reject(new Error('the producer is closed'))
  })
})
afterEach(() => {
  vi.restoreAllMocks()
})

const ownerThatNotes = () => {
  const told: string[] = []
  const note =
    (name: string) =>
    (...values: unknown[]) => {
      told.push([name, ...values].join(' '))
    }
  const its = {
    isClosed: false as boolean,
    setStuck: note('setStuck'),
    connectingIsSlow: note('connectingIsSlow'),
    connected: note('connected'),
    disconnected: note('disconnected'),
    notConnected: note('notConnected'),
    notPrepared: note('notPrepared'),
    drain: note('drain'),
    schedule: note('schedule'),
  } satisfies BrokerLinkOwner
  return { its, told }
}

const prepared = async (isClosed: boolean, end: () => void) => {
  const { its, told } = ownerThatNotes()
  const settings = { connectBackoff: { minMs: 1, maxMs: 1, factor: 1 }, stallMs: 60_000 }
  const host = { openLink: () => Promise.reject(new Error('none is opened')), random: Math.random }
  const destroy = vi.fn()
  const brokerLink = new BrokerLink(0, settings, host, its)
  brokerLink.prepare({ prepare: () => preparation, destroy } as unknown as ProduceLink)
  its.isClosed = isClosed
  end()
  await turns()
  return { told, destroyed: destroy.mock.calls.length, isBusy: brokerLink.isBusy }
}

test('a preparation that ends is told to its sender', async () => {
  expect(await prepared(false, succeed)).toEqual({
    told: ['setStuck false', 'schedule'],
    destroyed: 0,
    isBusy: false,
  })
})

test('a preparation that fails is told to its sender', async () => {
  expect(await prepared(false, fail)).toEqual({
    told: ['notPrepared Error: the producer is closed'],
    destroyed: 1,
    isBusy: false,
  })
})

test.each([
  ['ends', () => succeed(), 0],
  ['fails', () => fail(), 1],
])('a preparation that %s after the close is told to nobody', async (_, end, destroyed) => {
  expect(await prepared(true, end)).toEqual({ told: [], destroyed, isBusy: false })
})

test('a login renewal that fails because of the close leaves no wait behind', async () => {
  const world = await World.withClock({})
  world.topic()
  const producer = await world.confirmed()
  const needs = vi.spyOn(BrokerProduceLink.prototype, 'needsPreparation', 'get').mockReturnValue(true)
  const prepare = vi.spyOn(BrokerProduceLink.prototype, 'prepare').mockReturnValue(preparation)
  const sent = producer.send({ topic: TOPIC, messages: [{ value: 'a' }] })
  sent.catch(() => {})
  while (prepare.mock.calls.length === 0) await turns()
  await producer.disconnect({ timeoutMs: 0 })
  fail()
  await turns()
  await expect(sent).rejects.toThrow()
  expect(producer.health().waits).toEqual([])
  needs.mockRestore()
  prepare.mockRestore()
  // What is connected anew is not blamed for it.
  await producer.connect()
  await producer.send({ topic: TOPIC, messages: [{ value: 'b' }] })
  expect(producer.health()).toMatchObject({ healthy: true, waitCount: 0 })
  await world.end()
})
