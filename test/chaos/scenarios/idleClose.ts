import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

const IDLE_MS = 1_000

export const idleClose: Scenario = {
  name: 'idle-close',
  about: `brokers close connections that are idle for ${IDLE_MS} ms; the load pauses for about as long`,
  leastSeconds: 8,
  cluster: { config: { 'connections.max.idle.ms': String(IDLE_MS) } },
  async run(stage) {
    while (!stage.isOver) {
      const silentMs = whole(stage.random, IDLE_MS - 150, IDLE_MS + 400)
      const burstMs = 500
      // As many records over time as in the other scenarios.
      const rate = Math.ceil((stage.ratePerSecond * (silentMs + burstMs)) / burstMs)
      await stage.fault(`${silentMs} ms without a record, then ${rate} records/s`, async () => {
        stage.load({ change: 'rate', ratePerSecond: 0 })
        await stage.wait(silentMs)
        stage.load({ change: 'rate', ratePerSecond: rate })
        await stage.wait(burstMs)
      })
    }
    stage.load({ change: 'rate', ratePerSecond: stage.ratePerSecond })
  },
}
