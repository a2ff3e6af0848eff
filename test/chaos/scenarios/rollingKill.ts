import type { Scenario } from './scenario.js'

const DOWN_MS = 2_500
const CALM_MS = 1_500

export const rollingKill: Scenario = {
  name: 'rolling-kill',
  about: 'kill -9 of one broker after the other, each when all replicas are in sync again',
  leastSeconds: 12,
  async run(stage) {
    for (let round = 0; !stage.isOver; round++) {
      const node = stage.nodes[round % stage.nodes.length]!
      await stage.wait(CALM_MS)
      await stage.fault(`kill -9 of broker ${node.id}`, async () => {
        await stage.kill(node)
        await stage.wait(DOWN_MS)
        await node.start()
        await stage.healthy()
      })
    }
  },
}
