import type { Logger } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { BrokerVerdictError } from '../../src/errors/bases.js'
import { errorCode } from '../../src/protocol/errorCodes.js'
import { WaitRegistry } from '../../src/waits/registry.js'
import type { Wait } from '../../src/waits/wait.js'
import { WARN_AFTER_MS, WARN_AGAIN_AFTER_MS, WaitLog } from '../../src/waits/waitLog.js'
import { FakeClock } from './fakeClock.js'

interface Entry {
  readonly level: string
  readonly message: string
  readonly extra: Readonly<Record<string, unknown>> | undefined
}

const start = () => {
  const clock = new FakeClock()
  const registry = new WaitRegistry(clock)
  const lines: Entry[] = []
  const write = (level: string) => (message: string, extra?: object) =>
    lines.push({ level, message, extra: extra as Entry['extra'] })
  const logger = { warn: write('WARN'), info: write('INFO') } as unknown as Logger
  new WaitLog(registry, logger)
  return { clock, registry, lines, shown: () => lines.map(({ level, message }) => `${level} ${message}`) }
}

const verdict = (code: number, text: string): Error => new BrokerVerdictError(text, errorCode(code))

describe('one wait', () => {
  test('a wait of less than 5 s is not told, and leaves no timer', () => {
    const { clock, registry, lines } = start()
    expect(clock.armed).toBe(0)
    const wait = registry.begin('topic', { topic: 'a' })
    expect(clock.armed).toBe(1)
    clock.advance(WARN_AFTER_MS - 1)
    registry.end(wait, 'over')
    expect(clock.armed).toBe(0)
    clock.advance(60_000)
    expect(lines).toEqual([])
  })

  test('a longer one is told once, with cause, records and remedy, and once more when it is over', () => {
    const { clock, registry, lines, shown } = start()
    const wait = registry.begin(
      'topic',
      { topic: 'a' },
      { error: verdict(3, 'broker 1 answered UNKNOWN_TOPIC_OR_PARTITION.'), waiters: { waitingRecords: 12 } },
    )
    clock.advance(60_000)
    expect(clock.armed).toBe(0)
    registry.end(wait, 'over')
    expect(shown()).toEqual([
      'WARN Still waiting for topic "a" to become available (5.0 s so far, 12 records): broker 1 answered UNKNOWN_TOPIC_OR_PARTITION. ' +
        "Create it beforehand, or look at the topic policy (topics), the brokers' auto.create.topics.enable and the cluster's controller.",
      'INFO The wait for topic "a" ended after 60.0 s: available.',
    ])
    expect(lines[0]!.extra).toEqual({
      waitingFor: 'topic',
      topic: 'a',
      waitedMs: 5000,
      records: 12,
      error: 'UNKNOWN_TOPIC_OR_PARTITION',
    })
  })

  test('one that nobody waits for any more is told as such', () => {
    const { clock, registry, shown } = start()
    const wait = registry.begin('leader', { topic: 'a', partition: 3 })
    clock.advance(7000)
    registry.end(wait, 'given-up')
    expect(shown()[1]).toBe('INFO The wait for topic "a", partition 3 ended after 7.0 s: given up.')
  })

  test('text from outside can forge no line', () => {
    const { clock, registry, shown } = start()
    registry.begin('authentication', { broker: 1 }, { error: new Error('no\nERROR forged\u202e') })
    clock.advance(WARN_AFTER_MS)
    expect(shown()).toHaveLength(1)
    expect(shown()[0]).not.toMatch(/[\n\u202e]/)
  })
})

describe('many waits', () => {
  test('500 topics make one line with a count and some names, and one end', () => {
    const { clock, registry, shown } = start()
    const waits = Array.from({ length: 500 }, (_, i) =>
      registry.begin('topic', { topic: `t${i}` }, { waiters: { waitingRecords: 2 } }),
    )
    clock.advance(60_000)
    for (const [i, wait] of waits.entries()) registry.end(wait, i < 480 ? 'over' : 'given-up')
    expect(shown()).toEqual([
      expect.stringContaining(
        'WARN Still waiting for 500 topics ("t0", "t1", "t2", "t3", "t4" and 495 more) to become available (5.0 s so far, 1000 records).',
      ),
      'INFO The wait for topics ended after 60.0 s: 480 available, 20 given up.',
    ])
  })

  test('those that begin one after the other are told together', () => {
    const { clock, registry, shown } = start()
    for (let i = 0; i < 500; i++) {
      registry.begin('topic', { topic: `t${i}` })
      clock.advance(1)
    }
    clock.advance(WARN_AFTER_MS)
    expect(shown()).toHaveLength(1)
    expect(shown()[0]).toContain('500 topics')
  })

  test('those that come later are told at most every 30 s', () => {
    const { clock, registry, shown } = start()
    for (let i = 0; i < 120; i++) {
      registry.begin('topic', { topic: `t${i}` })
      clock.advance(1000)
    }
    const warned = shown()
    expect(warned).toHaveLength(4)
    expect(warned[0]).toContain('Still waiting for 3 topics ("t0", ')
    expect(warned[1]).toContain('Still waiting for 30 topics ("t3", ')
    clock.advance(WARN_AGAIN_AFTER_MS)
    expect(shown()).toHaveLength(5)
    clock.advance(10 * WARN_AGAIN_AFTER_MS)
    expect(shown()).toHaveLength(5)
    expect(clock.armed).toBe(0)
  })

  test('a cause that comes and goes is told at most every 30 s, each with its end', () => {
    const { clock, registry, lines } = start()
    for (let i = 0; i < 20; i++) {
      const wait = registry.begin('quota', { broker: 1 })
      clock.advance(6000)
      registry.end(wait, 'over')
    }
    const levels = lines.map(({ level }) => level)
    expect(levels.filter(each => each === 'WARN')).toHaveLength(4)
    expect(levels).toEqual(levels.map((_, i) => (i % 2 === 0 ? 'WARN' : 'INFO')))
  })

  test('each cause has lines of its own, and each error among retries', () => {
    const { clock, registry, shown } = start()
    registry.begin(
      'retry',
      { topic: 'a', partition: 0 },
      { error: verdict(19, 'broker 0 answered NOT_ENOUGH_REPLICAS') },
    )
    registry.begin(
      'retry',
      { topic: 'b', partition: 0 },
      { error: verdict(19, 'broker 0 answered NOT_ENOUGH_REPLICAS') },
    )
    registry.begin(
      'retry',
      { topic: 'c', partition: 0 },
      { error: verdict(56, 'broker 0 answered KAFKA_STORAGE_ERROR') },
    )
    registry.begin('leader', { topic: 'd', partition: 1 })
    clock.advance(60_000)
    expect(shown()).toHaveLength(3)
    expect(shown()[0]).toContain('Still retrying 2 partitions ("a"[0], "b"[0]) after NOT_ENOUGH_REPLICAS')
    expect(shown()[0]).toContain('min.insync.replicas')
    expect(shown()[1]).toContain('disks')
    expect(shown()[2]).toContain('Still waiting for a leader of topic "d", partition 1')
  })
})

test('a cause does not wait for the pause between two warnings of another', () => {
  const { clock, registry, lines } = start()
  registry.begin('topic', { topic: 'a' })
  clock.advance(WARN_AFTER_MS)
  registry.begin('topic', { topic: 'b' })
  registry.begin('leader', { topic: 'c', partition: 0 })
  clock.advance(WARN_AFTER_MS)
  expect(lines.map(({ extra }) => extra?.waitingFor)).toEqual(['topic', 'leader'])
})

describe('a wait that changes', () => {
  test('a broker that refuses, then is silent, is one trouble with one line', () => {
    const { clock, registry, shown } = start()
    const wait = registry.begin('answer', { broker: 0 })
    clock.advance(6000)
    registry.change(wait, 'connection', new Error('connect ECONNREFUSED 127.0.0.1:24099'))
    clock.advance(60_000)
    registry.end(wait, 'over')
    expect(shown()).toEqual([
      expect.stringContaining('WARN Still waiting for an answer of broker 0 (5.0 s so far)'),
      'INFO The wait for broker 0 ended after 66.0 s: answering again.',
    ])
  })

  test('a retry after another error is the same wait', () => {
    const { clock, registry, shown } = start()
    const wait = registry.begin('retry', { topic: 'a', partition: 0 }, { error: verdict(19, 'x') })
    for (let i = 0; i < 30; i++) {
      clock.advance(1000)
      registry.change(wait, 'retry', verdict(i % 2 ? 19 : 7, 'y'))
    }
    registry.end(wait, 'over')
    expect(shown()).toHaveLength(2)
  })

  test('another cause is told on its own, and ends the first', () => {
    const { clock, registry, shown } = start()
    const wait = registry.begin('topic', { topic: 'a' })
    clock.advance(6000)
    registry.change(wait, 'leader', verdict(5, 'no leader'))
    clock.advance(1)
    registry.end(wait, 'over')
    expect(shown()).toEqual([
      expect.stringContaining('WARN Still waiting for topic "a" to become available'),
      'INFO The wait for topic "a" ended after 6.0 s: waiting for something else now.',
      expect.stringContaining('WARN Still waiting for a leader of topic "a" (6.0 s so far)'),
      expect.stringContaining('INFO The wait for topic "a" ended after 6.0 s: led again.'),
    ])
  })

  test('a line in which others take their turn is no long wait', () => {
    const { clock, registry, lines } = start()
    const waiters = { waitingRecords: 1, waitingSince: 0 }
    registry.begin('buffer', {}, { waiters })
    for (let i = 0; i < 60; i++) {
      clock.advance(1000)
      waiters.waitingSince = clock.now()
    }
    expect(lines).toEqual([])
    clock.advance(WARN_AFTER_MS)
    expect(lines).toHaveLength(1)
  })

  test('the wait for buffer space names what holds the buffer', () => {
    const { clock, registry, shown } = start()
    registry.begin('buffer', {}, { waiters: { waitingRecords: 3 } })
    registry.begin('leader', { topic: 'a', partition: 0 })
    clock.advance(WARN_AFTER_MS)
    expect(shown()[0]).toContain(
      'Calls still wait for buffer space (5.0 s so far, 3 records). The buffer is held by records that wait for topic "a", partition 0.',
    )
  })
})

test('the cost of a wait does not depend on how many there are', () => {
  const steps = (count: number): number => {
    const { registry } = start()
    let calls = 0
    registry.listen({ began: () => calls++, changed: () => calls++, ended: () => calls++ })
    const waits: Wait[] = []
    for (let i = 0; i < count; i++) waits.push(registry.begin('topic', { topic: `t${i}` }))
    for (const wait of waits) registry.end(wait, 'over')
    return calls / count
  }
  expect(steps(10_000)).toBe(steps(10))
})

test('what holds the buffer is found without a look at the calls that wait for it', () => {
  const { registry } = start()
  let reads = 0
  for (let i = 0; i < 1000; i++) {
    const wait = registry.begin('buffer', { topic: `t${i}` })
    Object.defineProperty(wait, 'kind', {
      get: () => {
        reads++
        return 'buffer'
      },
    })
  }
  expect(registry.bufferCause).toBeUndefined()
  expect(reads).toBe(0)
})

test('what holds the buffer is the oldest of the other waits, as they change and end', () => {
  const { registry } = start()
  const causes = () => registry.bufferCause?.message.replace(/ \(.*/, '')
  const first = registry.begin('buffer', { topic: 'a' })
  const leader = registry.begin('leader', { topic: 'b', partition: 0 })
  const broker = registry.begin('connection', { broker: 1 })
  expect(causes()).toBe('Still waiting for a leader of topic "b", partition 0')
  registry.change(leader, 'topic')
  expect(causes()).toBe('Still waiting for topic "b", partition 0 to become available')
  registry.change(leader, 'buffer')
  expect(causes()).toBe('Still waiting for a connection to broker 1')
  registry.end(broker, 'over')
  expect(causes()).toBeUndefined()
  registry.change(first, 'topic')
  registry.change(broker, 'answer')
  expect(causes()).toBe('Still waiting for topic "a" to become available')
  registry.end(first, 'over')
  expect(causes()).toBeUndefined()
})

test('a wait that has ended is not ended or changed again', () => {
  const { registry, clock, lines } = start()
  const wait = registry.begin('topic', { topic: 'a' })
  registry.end(wait, 'over')
  registry.end(wait, 'over')
  registry.change(wait, 'leader', new Error('x'))
  clock.advance(60_000)
  expect(registry.size).toBe(0)
  expect(lines).toEqual([])
})
