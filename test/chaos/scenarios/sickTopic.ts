import { createTopics } from '../cluster/control.js'
import type { Scenario } from './scenario.js'

const TOPIC = 'chaos-sick'
/** All three replicas have to be in sync: it takes nothing while one broker is down. */
const IN_SYNC = '3'
const BURST = 20_000
const DOWN_MS = 8_000

export const sickTopic: Scenario = {
  name: 'sick-topic',
  about: `one topic answers NOT_ENOUGH_REPLICAS while a broker is down, and is sent ${BURST} records then`,
  leastSeconds: 25,
  async run(stage) {
    await createTopics(stage.addresses, [TOPIC], stage.partitions, [
      { name: 'min.insync.replicas', value: IN_SYNC },
    ])
    stage.addTopics([TOPIC])
    for (let round = 0; !stage.isOver; round++) {
      await stage.wait(2_000)
      const node = stage.nodes[round % stage.nodes.length]!
      await stage.fault(`broker ${node.id} down, ${BURST} records to the topic that needs it`, async () => {
        await stage.kill(node)
        stage.load({ change: 'fewer topics', names: [TOPIC] })
        stage.load({ change: 'more topics', names: [TOPIC], each: BURST })
        await stage.wait(DOWN_MS)
        await node.start()
        await stage.healthy()
      })
    }
  },
}
