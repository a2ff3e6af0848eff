import { describe, expect, test } from 'vitest'
import type { Batch } from '../../../src/delivery/batch/batch.js'
import type { NextBatch } from '../../../src/delivery/partitions/nextBatch.js'
import type { PartitionQueue } from '../../../src/delivery/partitions/partitionQueue.js'
import type { QueueList } from '../../../src/delivery/partitions/queueList.js'
import { ReadyPartitions } from '../../../src/delivery/sending/readyPartitions.js'

const deliveryClass = {
  acks: -1,
  ackTimeoutMs: 1000,
  compressor: undefined,
  sequenced: true,
  transactional: false,
}
const batch = (wireBytes = 10, ackTimeoutMs = 1000) =>
  ({ wireBytes, deliveryClass: { ...deliveryClass, ackTimeoutMs } }) as unknown as Batch

/** A queue of which the test says what it has. */
class ScriptedQueue {
  waitsIn: QueueList | undefined
  queueBefore: PartitionQueue | undefined
  queueBehind: PartitionQueue | undefined
  offers = 0
  taken = 0
  readonly topic: string
  answer: (fill: string) => NextBatch
  due = Infinity

  constructor(topic: string, answer: (fill: string) => NextBatch) {
    this.topic = topic
    this.answer = answer
  }

  prepareNext(_now: number, fill: string): NextBatch {
    this.offers++
    return this.answer(fill)
  }

  take(): void {
    this.taken++
    this.answer = () => 'nothing'
  }

  dueAt(): number {
    return this.due
  }
}

const asQueue = (queue: ScriptedQueue) => queue as unknown as PartitionQueue
const make = (count: number, answer: (fill: string) => NextBatch) =>
  Array.from({ length: count }, (_, i) => new ScriptedQueue(`t${i}`, answer))
const collect = (ready: ReadyPartitions, now: number, inFlight: number, mostPartitions: number) =>
  ready.collect(now, { inFlight, mostPartitions, targetBytes: 1_000_000, version: 13 })
const offersOf = (queues: readonly ScriptedQueue[]) => queues.reduce((sum, { offers }) => sum + offers, 0)
const topicsOf = (queues: readonly { topic: string }[]) => queues.map(({ topic }) => topic)

describe('the partitions that are ready', () => {
  const create = (lingerMs = 0) => new ReadyPartitions({ lingerMs })

  test('that wait for another attempt are not looked at before their moment', () => {
    const ready = create()
    const waiting = make(1000, () => 'backingOff')
    waiting.forEach((queue, i) => {
      queue.due = 100 + (i % 3) * 20
      ready.add(asQueue(queue))
    })
    expect(collect(ready, 0, 0, 64)).toMatchObject({ inFlightBatches: [], nextDue: 100 })
    for (let now = 1; now < 100; now++) collect(ready, now, 0, 64)
    expect(offersOf(waiting)).toBe(1000)
    for (const queue of waiting) queue.answer = () => batch()
    expect(collect(ready, 100, 0, Infinity).inFlightBatches).toHaveLength(334)
    expect(collect(ready, 139, 0, Infinity)).toMatchObject({ nextDue: 140 })
    expect(collect(ready, 140, 0, Infinity).inFlightBatches).toHaveLength(333)
    expect(collect(ready, 141, 0, Infinity)).toMatchObject({ inFlightBatches: [], nextDue: Infinity })
    expect(ready.isEmpty).toBe(true)
  })

  test('that gather are not looked at while requests are in flight, and come first then', () => {
    const ready = create()
    const gathering = make(500, fill => (fill === 'full' ? 'gathering' : batch()))
    for (const queue of gathering) ready.add(asQueue(queue))
    for (let i = 0; i < 100; i++) expect(collect(ready, i, 2, 64).inFlightBatches).toEqual([])
    expect(offersOf(gathering)).toBe(500)
    const late = new ScriptedQueue('late', () => batch())
    ready.add(asQueue(late))
    expect(topicsOf(collect(ready, 100, 1, 64).inFlightBatches)).toEqual(topicsOf(gathering.slice(0, 64)))
    expect(offersOf(gathering)).toBe(564)
    // A full batch leaves although others gather.
    expect(topicsOf(collect(ready, 101, 2, 64).inFlightBatches)).toEqual(['late'])
  })

  test('leave in constant time, also while they are looked through', () => {
    const ready = create()
    const queues = make(10, () => batch())
    for (const queue of queues) ready.add(asQueue(queue))
    queues[0]!.answer = () => {
      ready.remove(asQueue(queues[1]!))
      return batch()
    }
    ready.remove(asQueue(queues[5]!))
    ready.remove(asQueue(queues[5]!))
    expect(topicsOf(collect(ready, 0, 0, 64).inFlightBatches)).toEqual(
      [0, 2, 3, 4, 6, 7, 8, 9].map(i => `t${i}`),
    )
    expect(topicsOf(ready.all)).toEqual([0, 2, 3, 4, 6, 7, 8, 9].map(i => `t${i}`))
    collect(ready, 0, 0, 64)
    expect(ready.isEmpty).toBe(true)
  })

  test('that found no place come first in the next request, and few are passed over for one', () => {
    const ready = create()
    const own = make(1, () => batch())
    const others = make(1000, () => batch(10, 9999))
    for (const queue of [...own, ...others]) ready.add(asQueue(queue))
    expect(collect(ready, 0, 0, 64).inFlightBatches).toHaveLength(1)
    expect(offersOf(others)).toBeLessThanOrEqual(64)
    expect(topicsOf(collect(ready, 0, 0, 64).inFlightBatches)).toEqual(topicsOf(others.slice(0, 64)))
  })

  test('that linger have their moments', () => {
    const ready = create(5)
    const queue = new ScriptedQueue('t', () => 'gathering')
    queue.due = 5.2
    ready.add(asQueue(queue))
    expect(collect(ready, 0, 0, 64).nextDue).toBe(6)
    queue.answer = () => batch()
    expect(collect(ready, 5, 0, 64).inFlightBatches).toEqual([])
    expect(collect(ready, 6, 0, 64).inFlightBatches).toHaveLength(1)
  })

  test('are woken from where they wait', () => {
    const ready = create()
    const queue = new ScriptedQueue('t', () => 'backingOff')
    queue.due = 1000
    ready.add(asQueue(queue))
    collect(ready, 0, 0, 64)
    queue.answer = () => batch()
    ready.add(asQueue(queue))
    expect(collect(ready, 1, 0, 64).inFlightBatches).toHaveLength(1)
  })
})
