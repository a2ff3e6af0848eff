import type { Scenario } from './scenario.js'

const IDLE_MS = 6_000
const BUSY_MS = 5_000

export const blackHole: Scenario = {
  name: 'black-hole',
  about: `connections that were idle for ${IDLE_MS / 1000} s are forgotten without a word, as by a NAT; then records come`,
  leastSeconds: 25,
  cluster: { between: 'proxies' },
  async run(stage) {
    while (!stage.isOver) {
      stage.load({ change: 'rate', ratePerSecond: 0 })
      await stage.wait(IDLE_MS)
      await stage.fault('idle connections forgotten, then records', async () => {
        for (const proxy of stage.proxies) for (const connection of proxy.connections) connection.mute()
        stage.load({ change: 'rate', ratePerSecond: stage.ratePerSecond })
        await stage.wait(BUSY_MS)
      })
    }
  },
}
