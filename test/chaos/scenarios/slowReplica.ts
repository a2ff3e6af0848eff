import { pick } from '../random.js'
import type { Scenario } from './scenario.js'

const LATE_MS = 300
const SPELL_MS = 8_000

export const slowReplica: Scenario = {
  name: 'slow-replica',
  about: `one broker's answers come ${LATE_MS} ms late, one broker after the other`,
  leastSeconds: 20,
  cluster: { between: 'proxies' },
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(1_500)
      const proxy = pick(stage.random, stage.proxies)
      await stage.fault(`broker ${stage.proxies.indexOf(proxy) + 1} answers ${LATE_MS} ms late`, async () => {
        proxy.delayAnswers(LATE_MS)
        await stage.wait(SPELL_MS)
        proxy.delayAnswers(0)
      })
    }
  },
}
