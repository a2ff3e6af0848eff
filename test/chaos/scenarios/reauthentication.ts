import type { Scenario } from './scenario.js'

export const reauthentication: Scenario = {
  name: 'reauthentication',
  about:
    'TLS and SCRAM-SHA-256; sessions end after 2 s (connections.max.reauth.ms) and brokers are killed meanwhile',
  leastSeconds: 15,
  cluster: { entry: 'scram over TLS', config: { 'connections.max.reauth.ms': '2000' } },
  async run(stage) {
    for (let round = 0; !stage.isOver; round++) {
      await stage.fault('sessions end', () => stage.wait(5_000))
      const node = stage.nodes[round % stage.nodes.length]!
      await stage.fault(`kill -9 of broker ${node.id}`, async () => {
        await stage.kill(node)
        await stage.wait(1_000)
        await node.start()
        await stage.healthy()
      })
    }
  },
}
