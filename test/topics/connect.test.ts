import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectionError, type ScriptedCluster, saslError } from '../metadata/scriptedCluster.js'
import { end, pass, startDirectory } from './harness.js'

let started: ReturnType<typeof startDirectory>
let cluster: ScriptedCluster

const begin = (...args: Parameters<typeof startDirectory>) => {
  started = startDirectory(...args)
  cluster = started.cluster
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(async () => {
  expect(cluster.asked.filter(each => each.create)).toEqual([])
  await end(started.directory)
  vi.useRealTimers()
})

describe('connect', () => {
  it('asks for the brokers alone, and hands them to the transport', async () => {
    begin()
    const connected = started.directory.connect()
    await pass(2)
    await connected
    expect(cluster.metadata.map(each => [each.names, each.create])).toEqual([[[], false]])
    expect(started.directory.brokers.map(each => each.nodeId)).toEqual([1, 2, 3])
    expect(cluster.setBrokersCalls).toEqual([started.directory.brokers])
  })

  it('waits for a broker to answer', async () => {
    begin()
    let failures = 3
    cluster.beforeMetadata = () => {
      if (failures-- > 0) throw connectionError()
    }
    const connected = started.directory.connect()
    await pass(2000)
    await connected
    expect(cluster.metadata).toHaveLength(4)
  })

  it('ends with one clear error when none does, after one warning', async () => {
    begin({}, { maxRetryTimeMs: 10_000 })
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const failed = expect(started.directory.connect()).rejects.toMatchObject({
      message: expect.stringMatching(
        /^No broker answered in \d+ attempts .*ECONNREFUSED.*Look at the addresses/,
      ),
      retriable: false,
      cause: { name: 'KafkaJSConnectionError' },
    })
    await pass(12_000)
    await failed
    expect(started.log.lines.filter(each => each.level === 'warn')).toHaveLength(1)
  })

  it('ends at once on refused credentials', async () => {
    begin()
    const refused = saslError()
    cluster.beforeMetadata = () => {
      throw refused
    }
    const failed = expect(started.directory.connect()).rejects.toBe(refused)
    await pass(2)
    await failed
    expect(cluster.metadata).toHaveLength(1)
  })

  it('ends with the error it is closed with', async () => {
    begin()
    cluster.beforeMetadata = () => {
      throw connectionError()
    }
    const closed = new Error('closed')
    const failed = expect(started.directory.connect()).rejects.toBe(closed)
    await pass(500)
    started.directory.close(closed)
    await pass(1)
    await failed
  })
})
