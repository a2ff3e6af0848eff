import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LinkedQueue, type QueueNode } from '../../src/delivery/intake/linkedQueue.js'
import { runs, seed } from '../protocol/support/runs.js'

test('is an array from which anything may leave, at any time', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const) }),
    fc.record({ kind: fc.constant('leave' as const), at: fc.nat() }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const line = new LinkedQueue<number>()
      const model: { item: number; place: QueueNode<number> }[] = []
      steps.forEach((each, item) => {
        if (each.kind === 'add') model.push({ item, place: line.add(item) })
        else if (model.length > 0) {
          const [left] = model.splice(each.at % model.length, 1)
          line.leave(left!.place)
          line.leave(left!.place)
        }
        expect([...line]).toEqual(model.map(({ item: expected }) => expected))
        expect(line.size).toBe(model.length)
      })
    }),
    { seed, numRuns: runs(200) },
  )
})

test('is walked on while members leave and come', () => {
  const line = new LinkedQueue<string>()
  const places = new Map(['a', 'b', 'c', 'd', 'e'].map(item => [item, line.add(item)]))
  const met: string[] = []
  for (const item of line) {
    met.push(item)
    // Itself, those before it, the one behind it; and somebody comes when it is the last.
    line.leave(places.get(item) ?? line.add(''))
    if (item === 'b') line.leave(places.get('c')!)
    if (item === 'd') line.leave(places.get('b')!)
    if (item === 'e') places.set('f', line.add('f'))
    if (item === 'f') break
  }
  expect(met).toEqual(['a', 'b', 'd', 'e', 'f'])
  expect([...line]).toEqual([])
})
