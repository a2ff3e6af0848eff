import { BrokersUnreachableError, type WaitOptions } from 'kafkajs-resilient-producer'
import { describe, expect, it, vi } from 'vitest'
import {
  type ConnectLimits,
  connectWithin,
  orAborted,
  UnreachableError,
} from '../../../src/cli/connection/connect.js'

const limits = (changes: Partial<ConnectLimits> = {}): ConnectLimits => ({
  timeoutMs: 2_000,
  brokers: ['a:1', 'b:2'],
  signal: new AbortController().signal,
  ...changes,
})

const failing = (cause?: Error) => ({
  connect: () =>
    Promise.reject(new BrokersUnreachableError('No broker', { attempts: 2, elapsedMs: 2_010, cause })),
})

describe('connectWithin', () => {
  it('hands its limits to the client', async () => {
    const connect = vi.fn(async (_: WaitOptions) => {})
    const { timeoutMs, signal } = limits()
    await connectWithin({ connect }, limits({ signal }))
    expect(connect).toHaveBeenCalledExactlyOnceWith({ timeoutMs, signal })
  })

  it('tells in one line which brokers could not be reached, and what the last one met', async () => {
    await expect(connectWithin(failing(), limits())).rejects.toThrow(
      new UnreachableError('cannot reach any broker of a:1, b:2: no answer (given up after 2.0 s)'),
    )
    const refused = new Error('Connection error: connect ECONNREFUSED 127.0.0.1:1')
    await expect(connectWithin(failing(refused), limits({ brokers: ['a:1'] }))).rejects.toThrow(
      'cannot reach the broker a:1: connection refused (given up after 2.0 s)',
    )
  })

  it('passes on what no other broker would mend', async () => {
    const refused = new Error('refused')
    const connecting = connectWithin({ connect: () => Promise.reject(refused) }, limits())
    await expect(connecting).rejects.toBe(refused)
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
