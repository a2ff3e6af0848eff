import { setProduceQuota } from '../cluster/control.js'
import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

const CALM_MS = 3_000

export const quota: Scenario = {
  name: 'quota',
  about: 'a quota throttles the client to a fraction of what it is offered, then is lifted',
  leastSeconds: 15,
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      const bytesPerSecond = whole(stage.random, 5_000, 30_000)
      await stage.fault(`${Math.round(bytesPerSecond / 1000)} kB/s at each broker for 6 s`, async () => {
        await setProduceQuota(stage.addresses, bytesPerSecond)
        await stage.wait(6_000)
        await setProduceQuota(stage.addresses, undefined)
      })
    }
  },
}
