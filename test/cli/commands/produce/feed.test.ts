import { once } from 'node:events'
import { Readable } from 'node:stream'
import type { Message } from 'kafkajs'
import { describe, expect, it } from 'vitest'
import { type FeedOptions, feed, type Sink } from '../../../../src/cli/commands/produce/feed.js'
import { Tally } from '../../../../src/cli/commands/produce/tally.js'
import { windowFor } from '../../../../src/cli/commands/produce/window.js'

/** Takes records until `room` of them are held, as a producer does; a test decides when they end. */
class TestSink implements Sink {
  readonly taken: { topic: string; message: Message; end: (error: Error | null) => void }[] = []
  overrun = 0
  waits = 0
  private full = false
  private open = () => {}

  constructor(private readonly room = Number.POSITIVE_INFINITY) {}

  enqueue(topic: string, message: Message, end: (error: Error | null) => void): boolean {
    if (this.full) this.overrun++
    this.taken.push({ topic, message, end })
    this.full = this.taken.length % this.room === 0
    return !this.full
  }

  ready(): Promise<void> {
    this.waits++
    return new Promise(resolve => {
      this.open = () => {
        this.full = false
        resolve()
      }
    })
  }

  drain(): void {
    this.open()
  }
}

const source = (name: string, chunks: Iterable<string> | Readable) => {
  const opened = { count: 0 }
  const stream =
    chunks instanceof Readable ? chunks : Readable.from([...chunks].map(each => Buffer.from(each)))
  return {
    name,
    opened,
    stream,
    open: () => {
      opened.count++
      return stream
    },
  }
}

const options = (changes: Partial<FeedOptions> = {}): FeedOptions => ({
  mapping: { topic: { field: 't' }, topicPrefix: '', keyField: undefined, maxLineBytes: 100 },
  onMalformed: 'continue',
  window: windowFor(undefined),
  signal: new AbortController().signal,
  ...changes,
})

const tallyWithLog = () => {
  const log: string[] = []
  return { tally: new Tally(line => log.push(line), false), log }
}
const values = (sink: TestSink) => sink.taken.map(({ message }) => String(message.value))
const turn = () => new Promise(resolve => setImmediate(resolve))

describe('feed', () => {
  it('reads the sources in order, keeping lines within their source', async () => {
    const sink = new TestSink()
    const { tally } = tallyWithLog()
    const sources = [source('a', ['{"t":"x"', ',"n":1}\n{"t":"y"}']), source('b', ['{"t":"z"}\n'])]
    await feed(sources, sink, tally, options())
    expect(values(sink)).toEqual(['{"t":"x","n":1}', '{"t":"y"}', '{"t":"z"}'])
    expect(tally.accepted).toBe(3)
  })

  it('opens a source only when its turn has come', async () => {
    const sink = new TestSink(1)
    const second = source('b', ['{"t":"y"}\n'])
    const feeding = feed([source('a', ['{"t":"x"}\n']), second], sink, tallyWithLog().tally, options())
    await turn()
    expect(second.opened.count).toBe(0)
    sink.drain()
    await turn()
    sink.drain()
    await feeding
    expect(second.opened.count).toBe(1)
  })

  it('reports a malformed line by source and number and goes on behind it', async () => {
    const sink = new TestSink()
    const { tally, log } = tallyWithLog()
    await feed([source('in', ['{"t":"x"}\nnonsense\n\n{"t":"y"}\n{}'])], sink, tally, options())
    expect(values(sink)).toEqual(['{"t":"x"}', '{"t":"y"}'])
    expect(log.map(line => line.slice(0, 15))).toEqual(['in:2: not JSON:', 'in:5: no field '])
    expect(tally.malformed).toBe(2)
  })

  it('stops at a malformed line when strict, and closes its input', async () => {
    const sink = new TestSink()
    const first = source('a', ['{"t":"x"}\n!\n{"t":"y"}\n'])
    const second = source('b', ['{"t":"z"}\n'])
    await feed([first, second], sink, tallyWithLog().tally, options({ onMalformed: 'stop' }))
    expect(values(sink)).toEqual(['{"t":"x"}'])
    expect(first.stream.destroyed).toBe(true)
    expect(second.opened.count).toBe(0)
  })

  it('hands over nothing after a refusal until there is room, nor reads on meanwhile', async () => {
    const sink = new TestSink(3)
    let produced = 0
    const endless = new Readable({
      highWaterMark: 64,
      read() {
        this.push(Buffer.from(`{"t":"x","n":${produced++}}\n`))
      },
    })
    const stop = new AbortController()
    const feeding = feed(
      [source('in', endless)],
      sink,
      tallyWithLog().tally,
      options({ signal: stop.signal }),
    )
    for (let i = 0; i < 20; i++) await turn()
    expect(sink.taken).toHaveLength(3)
    const held = produced
    for (let i = 0; i < 20; i++) await turn()
    expect(produced).toBe(held)
    sink.drain()
    for (let i = 0; i < 20; i++) await turn()
    expect(sink.taken).toHaveLength(6)
    expect(sink.overrun).toBe(0)
    stop.abort(new Error('enough'))
    await feeding
  })

  it.each([
    ['records', { records: 4, bytes: 1_000_000 }],
    ['bytes', { records: 1_000, bytes: 4 * 9 }],
  ] as const)(
    'keeps no more %s on their way than the window holds, though the sink takes all',
    async (_what, window) => {
      const sink = new TestSink()
      const { tally } = tallyWithLog()
      const input = source('in', ['{"t":"x"}\n'.repeat(10)])
      const feeding = feed([input], sink, tally, options({ window }))
      for (let i = 0; i < 20; i++) await turn()
      expect(sink.taken).toHaveLength(4)
      sink.taken[0]!.end(null)
      for (let i = 0; i < 20; i++) await turn()
      expect(sink.taken).toHaveLength(4)
      sink.taken[1]!.end(new Error('an end like any other'))
      for (let i = 0; i < 20; i++) await turn()
      expect(sink.taken).toHaveLength(6)
      for (let next = 2; next < 10; next++) {
        sink.taken[next]!.end(null)
        for (let i = 0; i < 20; i++) await turn()
      }
      await feeding
      expect(tally.outstanding).toBe(0)
    },
  )

  it('ends by the signal while it waits for input, and closes it', async () => {
    const silent = new Readable({ read() {} })
    const stop = new AbortController()
    const feeding = feed(
      [source('in', silent)],
      new TestSink(),
      tallyWithLog().tally,
      options({ signal: stop.signal }),
    )
    await turn()
    stop.abort(new Error('interrupted'))
    await feeding
    expect(silent.destroyed).toBe(true)
  })

  it('ends by the signal while it waits for room', async () => {
    const sink = new TestSink(1)
    const stop = new AbortController()
    const input = source('in', ['{"t":"x"}\n{"t":"y"}\n'])
    const feeding = feed([input], sink, tallyWithLog().tally, options({ signal: stop.signal }))
    await turn()
    expect(sink.waits).toBe(1)
    stop.abort(new Error('interrupted'))
    await feeding
    expect(values(sink)).toEqual(['{"t":"x"}'])
    expect(input.stream.destroyed).toBe(true)
  })

  it('throws when an input breaks, with what was read before handed over', async () => {
    const sink = new TestSink()
    const broken = new Readable({ read() {} })
    broken.push('{"t":"x"}\n')
    const feeding = feed([source('in', broken)], sink, tallyWithLog().tally, options())
    const failed = expect(feeding).rejects.toThrow('EIO')
    await turn()
    broken.destroy(new Error('EIO'))
    await failed
    await (broken.closed || once(broken, 'close'))
    expect(values(sink)).toEqual(['{"t":"x"}'])
  })

  it('counts each record by how it ended', async () => {
    const sink = new TestSink()
    const { tally, log } = tallyWithLog()
    await feed([source('in', ['{"t":"x"}\n{"t":"y"}\n{"t":"z"}\n'])], sink, tally, options())
    sink.taken[0]!.end(null)
    sink.taken[2]!.end(new Error('gone'))
    expect([tally.delivered, tally.failed, tally.outstanding]).toEqual([1, 1, 1])
    expect(log).toEqual(['in:3: not delivered: gone'])
  })
})

describe('windowFor', () => {
  it('is never more than half the buffer, nor more than its own bound', () => {
    expect(windowFor(undefined)).toEqual({ records: 50_000, bytes: 33_554_432 })
    expect(windowFor(2 ** 30).bytes).toBe(33_554_432)
    expect(windowFor(10_000).bytes).toBe(5_000)
  })
})
