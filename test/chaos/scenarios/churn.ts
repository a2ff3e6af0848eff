import { until } from '../../kafka/cluster/wait.js'
import { deleteTopics } from '../cluster/control.js'
import type { Stage } from '../stage.js'
import { idsOf, MARGIN_MS } from './recreation.js'
import type { Scenario } from './scenario.js'

const TENANTS = 20
const IN_USE_MS = 3_000
/** What was sent to a topic has ended by then: a late record would make the topic again. */
const QUIET_MS = 3_000

export const churn: Scenario = {
  name: 'churn',
  about: `a topic per tenant: ${TENANTS} new ones at a time, which are deleted once they are not used any more`,
  leastSeconds: 20,
  async run(stage) {
    for (let round = 0; !stage.isOver; round++) {
      const names = Array.from({ length: TENANTS }, (_, i) => `tenant-${round}-${i}`)
      await stage.fault(`${TENANTS} topics come and go`, async () => {
        stage.addTopics(names, 20)
        await stage.wait(IN_USE_MS)
        stage.load({ change: 'fewer topics', names })
        await stage.wait(QUIET_MS)
        await remove(stage, names)
      })
    }
  },
}

const remove = async (stage: Stage, names: readonly string[]): Promise<void> => {
  const before = new Map<string, string | undefined>()
  for (const name of names) before.set(name, (await idsOf(stage, name))[0])
  await deleteTopics(stage.addresses, names)
  let left = [...names]
  const gone = async () => {
    const still: string[] = []
    for (const name of left) {
      const ids = await idsOf(stage, name)
      // Made anew is gone, too: by a late record, or by a client that asks for what it no longer needs.
      if (ids.some(id => id !== undefined && id === before.get(name))) still.push(name)
      else if (ids.some(id => id !== undefined)) stage.say(`  ${name} was made again`)
    }
    left = still
    return left.length === 0 || undefined
  }
  await until('the end of the topics', gone, { timeoutMs: 60_000 })
  await stage.wait(MARGIN_MS)
  for (const name of names) stage.deletedBefore[name] = Date.now()
}
