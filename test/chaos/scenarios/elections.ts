import { moveAllLeaders } from '../cluster/control.js'
import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

export const elections: Scenario = {
  name: 'elections',
  about: 'all partitions get another leader at once, again and again, 0.2 to 1.5 s apart',
  leastSeconds: 8,
  async run(stage) {
    while (!stage.isOver) {
      await stage.fault('every partition changes its leader', async () =>
        moveAllLeaders(stage.addresses, await stage.describe()),
      )
      await stage.wait(whole(stage.random, 200, 1_500))
    }
  },
}
