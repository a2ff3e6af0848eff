import { moveAllLeaders } from '../cluster/control.js'
import { pick } from '../random.js'
import type { Scenario } from './scenario.js'

const FROZEN_MS = 2_000
const REFUSING_MS = 1_000

export const staleMetadata: Scenario = {
  name: 'stale-metadata',
  about:
    'leaders move while a broker is frozen; it wakes with metadata of before, and is the only one that takes connections for a second',
  leastSeconds: 20,
  cluster: { between: 'proxies' },
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(2_000)
      const node = pick(stage.random, stage.nodes)
      const others = stage.addresses.filter((_, i) => stage.nodes[i] !== node)
      await stage.fault(`broker ${node.id} wakes with the leaders of ${FROZEN_MS} ms before`, async () => {
        await stage.freeze(node)
        await moveAllLeaders(others, await stage.describe(others)).catch(error =>
          stage.say(`  not all leaders moved: ${error instanceof Error ? error.message : error}`),
        )
        await stage.wait(FROZEN_MS)
        const fresh = stage.proxies.filter((_, i) => stage.nodes[i] !== node)
        for (const proxy of fresh) {
          proxy.isRefusing = true
          for (const connection of proxy.connections) connection.cut()
        }
        await node.resume()
        await stage.wait(REFUSING_MS)
        for (const proxy of fresh) proxy.isRefusing = false
        await stage.healthy()
      })
    }
  },
}
