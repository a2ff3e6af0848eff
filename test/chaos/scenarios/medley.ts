import { controllerOf, moveAllLeaders, setProduceQuota } from '../cluster/control.js'
import { pick, whole } from '../random.js'
import type { Stage } from '../stage.js'
import { playTricks } from './badNetwork.js'
import { restartAll } from './fullRestart.js'
import type { Scenario } from './scenario.js'

const CALM_MS = 1_500

interface Act {
  readonly name: string
  readonly weight: number
  readonly perform: (stage: Stage) => Promise<void>
}

const ACTS: readonly Act[] = [
  {
    name: 'kill -9 of a broker',
    weight: 4,
    perform: async stage => {
      const node = pick(stage.random, stage.nodes)
      await stage.kill(node)
      await stage.wait(2_500)
      await node.start()
    },
  },
  {
    name: 'kill -9 of the controller on a bad network',
    weight: 2,
    perform: async stage => {
      const id = await controllerOf(stage.addresses)
      const node = stage.nodes.find(each => each.id === id) ?? stage.nodes[0]!
      await stage.kill(node)
      await playTricks(stage, 2_500)
      await node.start()
    },
  },
  {
    name: 'the busiest broker frozen',
    weight: 3,
    perform: async stage => {
      const node = await stage.busiest()
      await stage.freeze(node)
      const ms = whole(stage.random, 2_000, 8_000)
      await stage.wait(ms)
      await node.resume()
    },
  },
  { name: 'tricks on connections', weight: 4, perform: stage => playTricks(stage, 6_000) },
  {
    name: 'leaders moved five times',
    weight: 3,
    perform: async stage => {
      for (let i = 0; i < 5; i++) {
        await moveAllLeaders(stage.addresses, await stage.describe())
        const ms = whole(stage.random, 50, 800)
        await stage.wait(ms)
      }
    },
  },
  {
    name: 'leaders moved on a bad network',
    weight: 3,
    perform: async stage => {
      const tricks = playTricks(stage, 4_000)
      for (let i = 0; i < 4; i++) {
        await moveAllLeaders(stage.addresses, await stage.describe())
        await stage.wait(800)
      }
      await tricks
    },
  },
  {
    name: 'a quota of 10 kB/s at each broker',
    weight: 1,
    perform: async stage => {
      await setProduceQuota(stage.addresses, 10_000)
      await stage.wait(4_000)
      await setProduceQuota(stage.addresses, undefined)
    },
  },
  { name: 'all brokers killed and started again', weight: 1, perform: stage => restartAll(stage, 1_000) },
]

export const medley: Scenario = {
  name: 'medley',
  about: 'all of it on one cluster behind proxies, in an order that the seed decides',
  leastSeconds: 20,
  cluster: { between: 'proxies' },
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      const act = draw(stage)
      await stage.fault(act.name, async () => {
        await act.perform(stage)
        await stage.healthy()
      })
    }
  },
}

const draw = ({ random }: Stage): Act => {
  let left = random() * ACTS.reduce((sum, { weight }) => sum + weight, 0)
  return ACTS.find(({ weight }) => (left -= weight) < 0) ?? ACTS[0]!
}
