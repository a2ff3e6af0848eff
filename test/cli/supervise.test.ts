import { once } from 'node:events'
import { InvalidOptionsError } from 'kafkajs-resilient-producer'
import { describe, expect, it } from 'vitest'
import { UsageError } from '../../src/cli/process/exit.js'
import { supervise } from '../../src/cli/process/supervise.js'
import { testIo } from './support/io.js'

const quiet = { verbose: false }
const untilAborted = async (signal: AbortSignal): Promise<number> => {
  if (!signal.aborted) await once(signal, 'abort')
  throw signal.reason
}
const epipe = () => Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })

describe('supervise', () => {
  it('passes the exit status of the job on and stops listening for signals', async () => {
    const io = testIo()
    expect(await supervise(io, quiet, async () => 7)).toBe(7)
    expect(io.listeners()).toBe(0)
    expect(io.stderr.text).toBe('')
  })

  it('turns what the job throws into one line and status 1, without a stack', async () => {
    const io = testIo()
    const code = await supervise(io, quiet, () => Promise.reject(new Error('no\nway')))
    expect(code).toBe(1)
    expect(io.stderr.text).toBe('error: no way\n')
  })

  it('gives a usage error status 2', async () => {
    expect(await supervise(testIo(), quiet, () => Promise.reject(new UsageError('what?')))).toBe(2)
  })

  it('takes options that the producer refuses for a wrong configuration, a line each', async () => {
    const io = testIo()
    const refused = new InvalidOptionsError(['lingerMs must be more', 'nope is not an option'])
    expect(await supervise(io, quiet, () => Promise.reject(refused))).toBe(2)
    expect(io.stderr.text).toBe(
      "error: the producer's options: lingerMs must be more\nerror: the producer's options: nope is not an option\n",
    )
  })

  it('escapes what comes from outside in stacks, too', async () => {
    const io = testIo()
    const error = new Error('the broker says \u001b[2J\u202e\r', { cause: new Error('\u0007') })
    await supervise(io, { verbose: true }, () => Promise.reject(error))
    expect(io.stderr.text).toContain('says \\u001b[2J\\u202e\\u000d')
    expect(io.stderr.text).toContain('caused by Error: \\u0007')
    expect(io.stderr.text).not.toMatch(/[^\n\P{Cc}]|\p{Cf}/u)
  })

  it('prints the stack and the causes when verbose', async () => {
    const io = testIo()
    const error = new Error('outer', { cause: new TypeError('inner') })
    await supervise(io, { verbose: true }, () => Promise.reject(error))
    expect(io.stderr.text).toMatch(
      /^error: outer\nError: outer\n {4}at [\s\S]*caused by TypeError: inner\n {4}at /,
    )
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('lets the job wind down at the first %s', async (name, status) => {
    const io = testIo()
    const ended = supervise(io, quiet, untilAborted)
    io.raise(name)
    expect(await ended).toBe(status)
    expect(io.exits).toEqual([])
    expect(io.stderr.text).toBe(`stopped by ${name}\n`)
  })

  it('ends at once at the second signal', async () => {
    const io = testIo()
    let finish = () => {}
    const ended = supervise(io, quiet, () => new Promise(resolve => (finish = () => resolve(0))))
    io.raise('SIGINT')
    expect(io.exits).toEqual([])
    io.raise('SIGINT')
    expect(io.exits).toEqual([130])
    finish()
    await ended
  })

  it.each(['stdout', 'stderr'] as const)('winds down quietly when %s is closed', async name => {
    const io = testIo()
    const ended = supervise(io, quiet, untilAborted)
    io[name].emit('error', epipe())
    expect(await ended).toBe(141)
    expect(io.stdout.text + io.stderr.text).toBe('')
  })

  it('survives a closed output after the job has ended', async () => {
    const io = testIo()
    await supervise(io, quiet, async () => 0)
    expect(() => io.stdout.emit('error', epipe())).not.toThrow()
  })

  it('leaves it to the job whether being stopped is its proper end', async () => {
    const io = testIo()
    const ended = supervise(io, quiet, signal => untilAborted(signal).catch(() => 0))
    io.raise('SIGTERM')
    expect(await ended).toBe(0)
  })

  it('notices an output that was closed before the last line was written', async () => {
    const io = testIo()
    const code = await supervise(io, quiet, async () => {
      setImmediate(() => io.stdout.emit('error', epipe()))
      return 0
    })
    expect(code).toBe(141)
  })

  it('tells a failure on the way out of an interrupted job', async () => {
    const io = testIo()
    const ended = supervise(io, quiet, async signal => {
      await untilAborted(signal).catch(() => {})
      throw new Error('flush failed')
    })
    io.raise('SIGINT')
    expect(await ended).toBe(130)
    expect(io.stderr.text).toBe('error: flush failed\n')
  })
})
