import { expect, test } from 'vitest'
import { WaitHistory } from '../../src/opentelemetry/waitHistory.js'
import { WaitRegistry } from '../../src/waits/registry.js'
import type { Wait } from '../../src/waits/wait.js'

const start = () => {
  const registry = new WaitRegistry()
  return { registry, history: new WaitHistory(registry) }
}
const subject = (index: number) => ({ topic: `t${index}` })
const begin = (registry: WaitRegistry, count: number): Wait[] =>
  Array.from({ length: count }, (_, index) => registry.begin('topic', subject(index)))

test('many waits that end together cost each the same: none looks at those that go on', () => {
  const { registry, history } = start()
  const waits = begin(registry, 3000)
  let reads = 0
  for (const index of waits.keys()) {
    const [waited] = history.of(subject(index))
    let { to } = waited!
    Object.defineProperty(waited, 'to', {
      get: () => {
        reads++
        return to
      },
      set: (value: number) => {
        to = value
      },
    })
  }
  for (const wait of waits) registry.end(wait, 'over')
  expect(reads).toBeLessThanOrEqual(waits.length)
})

test('the subjects whose waits ended first are forgotten, in the order of their ends', () => {
  const { registry, history } = start()
  const waits = begin(registry, 3000)
  const [longest, again, ...others] = waits
  registry.end(again!, 'over')
  for (const wait of others.reverse()) registry.end(wait, 'over')
  const kept = waits.flatMap((_, index) => (history.of(subject(index)).length > 0 ? [index] : []))
  expect(kept.length).toBeGreaterThan(500)
  expect(kept.length).toBeLessThanOrEqual(1001)
  // The first one goes on; of the others the last to end, without a gap.
  expect(kept).toEqual([0, ...Array.from({ length: kept.length - 1 }, (_, index) => index + 2)])
  expect(history.of(longest!.subject)).toMatchObject([{ to: Infinity }])
})

test('a subject with an ongoing wait is not forgotten, whichever of its waits have ended', () => {
  const { registry, history } = start()
  const broker = { broker: 1 }
  const quota = registry.begin('quota', broker)
  const trouble = registry.begin('connection', broker)
  registry.end(quota, 'over')
  registry.change(trouble, 'answer')
  for (const wait of begin(registry, 3000)) registry.end(wait, 'over')
  expect(history.of(broker).map(({ kind }) => kind)).toEqual(['quota', 'connection', 'answer'])
  registry.end(trouble, 'over')
  const next = registry.begin('quota', broker)
  for (const wait of begin(registry, 3000)) registry.end(wait, 'over')
  expect(history.of(broker)).toHaveLength(4)
  registry.end(next, 'over')
  for (const wait of begin(registry, 3000)) registry.end(wait, 'over')
  expect(history.of(broker)).toEqual([])
})
