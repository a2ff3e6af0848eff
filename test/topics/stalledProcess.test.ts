import { afterEach, expect, it } from 'vitest'
import { startDirectory } from './harness.js'

const block = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

let close = (): void => {}
afterEach(() => close())

/** A container that is frozen, a long garbage collection, a synchronous job: the budget is over, and nothing was tried. */
it('goes on asking after the process stood still for longer than the whole budget', async () => {
  let hasStalled = false
  let asksSince = 0
  const { directory, cluster } = startDirectory(
    {},
    {
      minTimeoutMs: 20,
      maxRetryTimeMs: 1000,
      onRetry: () => {
        if (hasStalled) return
        hasStalled = true
        block(1500)
      },
    },
  )
  close = () => directory.close(new Error('the test has ended'))
  cluster.missing = () => (hasStalled && ++asksSince > 3 ? undefined : 3)
  const topics = await Promise.all(['a', 'b'].map(name => directory.resolve(name)))
  expect(topics.map(each => each.name)).toEqual(['a', 'b'])
  expect(asksSince).toBeGreaterThan(3)
})

it('reaches a first broker after the process stood still for longer than the whole budget', async () => {
  let requests = 0
  const { directory, cluster } = startDirectory({}, { minTimeoutMs: 20, maxRetryTimeMs: 1000 })
  close = () => directory.close(new Error('the test has ended'))
  cluster.beforeMetadata = () => {
    requests++
    if (requests === 1) block(1500)
    if (requests < 4) throw Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' })
  }
  await directory.connect()
  expect(requests).toBe(4)
})
