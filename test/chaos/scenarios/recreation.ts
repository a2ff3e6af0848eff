import { until } from '../../kafka/cluster/wait.js'
import { createTopics, deleteTopics, viewOf } from '../cluster/control.js'
import { pick } from '../random.js'
import type { Stage } from '../stage.js'
import type { Scenario } from './scenario.js'

const CALM_MS = 2_500
/** A broker shows the new metadata a moment before it lets go of the old log. ms */
export const MARGIN_MS = 1_000

export const recreation: Scenario = {
  name: 'recreation',
  about: 'a topic is deleted and created again while records are sent to it; the others must not notice',
  leastSeconds: 12,
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      const topic = pick(stage.random, stage.topics)
      await stage.fault(`${topic} deleted and created again`, () => recreate(stage, topic))
    }
  },
}

export const idsOf = async (stage: Stage, topic: string): Promise<(string | undefined)[]> =>
  Promise.all(stage.addresses.map(async address => (await viewOf(address, [topic]))[0]?.topicId))

const recreate = async (stage: Stage, topic: string): Promise<void> => {
  const [old] = await idsOf(stage, topic)
  await deleteTopics(stage.addresses, [topic])
  // A client under load may create it again before the second request: either is as good.
  const gone = async () => (await idsOf(stage, topic)).every(id => id !== old) || undefined
  await until(`the end of ${topic}`, gone, { timeoutMs: 30_000 })
  await stage.wait(MARGIN_MS)
  stage.deletedBefore[topic] = Date.now()
  await createTopics(stage.addresses, [topic], stage.partitions)
  await stage.healthy()
}
