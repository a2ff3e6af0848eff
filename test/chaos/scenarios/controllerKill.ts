import { whole } from '../random.js'
import type { Scenario } from './scenario.js'

const TOPICS = 200
const DOWN_MS = 2_500

export const controllerKill: Scenario = {
  name: 'controller-kill',
  about: 'kill -9 of the active controller while 200 topics are being auto-created',
  leastSeconds: 25,
  async run(stage) {
    await stage.wait(1_500)
    const topics = Array.from({ length: TOPICS }, (_, i) => `chaos-new-${i}`)
    const node = await stage.controller()
    // Somewhere in the creation, which takes some hundred milliseconds.
    const afterMs = whole(stage.random, 10, 150)
    await stage.fault(
      `kill -9 of controller ${node.id}, ${afterMs} ms after first sends to ${TOPICS} new topics`,
      async () => {
        stage.addTopics(topics)
        await stage.wait(afterMs)
        await stage.kill(node)
        await stage.wait(DOWN_MS)
        await node.start()
        await stage.healthy()
      },
    )
    while (!stage.isOver) {
      await stage.wait(1_500)
      const next = await stage.controller()
      await stage.fault(`kill -9 of controller ${next.id}`, async () => {
        await stage.kill(next)
        await stage.wait(DOWN_MS)
        await next.start()
        await stage.healthy()
      })
    }
  },
}
