import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

const PATIENCE_MS = 1_000

export const abortStorm: Scenario = {
  name: 'abort-storm',
  about: `the leader of the most partitions freezes, and each send is given up after ${PATIENCE_MS} ms where the client can`,
  leastSeconds: 20,
  expectedFailures: ['SendAbortedError'],
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(1_500)
      const node = await stage.busiest()
      const ms = whole(stage.random, 3_000, 6_000)
      await stage.fault(`broker ${node.id} frozen for ${ms} ms, sends given up`, async () => {
        stage.load({ change: 'patience', patienceMs: PATIENCE_MS })
        await stage.freeze(node)
        await stage.wait(ms)
        await node.resume()
        stage.load({ change: 'patience', patienceMs: undefined })
        await stage.healthy()
      })
    }
  },
}
