import { pick, whole } from '../random.js'
import type { Scenario } from './scenario.js'

const TOPICS = 500
const RECORDS = 100
const DOWN_MS = 2_500
const ROUND_MS = 20_000

export const burst: Scenario = {
  name: 'burst',
  about: `${RECORDS} records at once to each of ${TOPICS} topics that do not exist, while a broker is killed`,
  leastSeconds: 30,
  async run(stage) {
    for (let round = 0; round === 0 || stage.endsAt - Date.now() > ROUND_MS; round++) {
      await stage.wait(1_500)
      const names = Array.from({ length: TOPICS }, (_, i) => `burst-${round}-${i}`)
      const node = pick(stage.random, stage.nodes)
      const afterMs = whole(stage.random, 50, 500)
      await stage.fault(
        `${TOPICS * RECORDS} records to ${TOPICS} new topics, and kill -9 of broker ${node.id} ${afterMs} ms later`,
        async () => {
          stage.addTopics(names, RECORDS)
          await stage.wait(afterMs)
          await stage.kill(node)
          await stage.wait(DOWN_MS)
          await node.start()
          await stage.healthy()
        },
      )
    }
  },
}
