import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type ConnectLimits,
  ConnectTimeoutError,
  connectWithin,
  orAborted,
} from '../../../src/cli/connection/connect.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const never = () => new Promise<never>(() => {})
const brokers = ['a:1', 'b:2']
const limits = (changes: Partial<ConnectLimits> = {}): ConnectLimits => ({
  timeoutMs: 2_000,
  brokers,
  signal: new AbortController().signal,
  lastError: () => undefined,
  ...changes,
})

describe('connectWithin', () => {
  it('leaves no timer behind', async () => {
    await connectWithin({ connect: async () => {}, disconnect: never }, limits())
    expect(vi.getTimerCount()).toBe(0)
  })

  it('gives up in time on a client that does not, and closes it', async () => {
    const disconnect = vi.fn(never)
    const connecting = connectWithin({ connect: never, disconnect }, limits())
    const failed = expect(connecting).rejects.toThrow(
      new ConnectTimeoutError('cannot reach any broker of a:1, b:2: no answer (given up after 2.0 s)'),
    )
    await vi.advanceTimersByTimeAsync(2_000)
    await failed
    expect(disconnect).toHaveBeenCalledOnce()
  })

  it('tells why the last attempt failed, when it has to give up', async () => {
    const connecting = connectWithin(
      { connect: never, disconnect: never },
      limits({ brokers: ['a:1'], lastError: () => 'Connection error: connect ECONNREFUSED 127.0.0.1:1' }),
    )
    const failed = expect(connecting).rejects.toThrow(
      'cannot reach the broker a:1: connection refused (given up after 2.0 s)',
    )
    await vi.advanceTimersByTimeAsync(2_000)
    await failed
  })

  it('passes on why the client gave up itself', async () => {
    const disconnect = vi.fn(() => Promise.reject(new Error('not connected')))
    const connecting = connectWithin(
      { connect: () => Promise.reject(new Error('refused')), disconnect },
      limits(),
    )
    await expect(connecting).rejects.toThrow('refused')
    expect(disconnect).toHaveBeenCalledOnce()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('ends by the signal', async () => {
    const stop = new AbortController()
    const connecting = connectWithin({ connect: never, disconnect: never }, limits({ signal: stop.signal }))
    stop.abort(new Error('interrupted'))
    await expect(connecting).rejects.toThrow('interrupted')
  })
})

describe('orAborted', () => {
  it('gives the outcome of the promise', async () => {
    const { signal } = new AbortController()
    expect(await orAborted(Promise.resolve(1), signal)).toBe(1)
    await expect(orAborted(Promise.reject(new Error('x')), signal)).rejects.toThrow('x')
  })

  it('throws the reason of a signal that has aborted already, and lets no rejection go unhandled', async () => {
    const signal = AbortSignal.abort(new Error('stopped'))
    await expect(orAborted(Promise.reject(new Error('later')), signal)).rejects.toThrow('stopped')
  })
})
