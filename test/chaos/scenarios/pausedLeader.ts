import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

const CALM_MS = 1_500

export const pausedLeader: Scenario = {
  name: 'paused-leader',
  about: 'SIGSTOP of the broker that leads the most partitions, past its session time-out, then SIGCONT',
  leastSeconds: 12,
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      const node = await stage.busiest()
      const ms = whole(stage.random, 3_000, 7_000)
      await stage.fault(`broker ${node.id} frozen for ${ms} ms`, async () => {
        await stage.freeze(node)
        await stage.wait(ms)
        await node.resume()
        await stage.healthy()
      })
    }
  },
}
