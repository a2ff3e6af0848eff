import type { Stage } from '../stage.js'
import type { Scenario } from './scenario.js'

const CALM_MS = 2_000

export const fullRestart: Scenario = {
  name: 'full-restart',
  about: 'kill -9 of all brokers at once, then all start again',
  leastSeconds: 15,
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      await stage.fault('all brokers killed and started again', () => restartAll(stage, 1_000))
    }
  },
}

export const blackout: Scenario = {
  name: 'blackout',
  about: 'every broker is gone for a minute, then all are back',
  leastSeconds: 75,
  async run(stage) {
    do {
      await stage.wait(CALM_MS)
      await stage.fault('every broker gone for 60 s', () => restartAll(stage, 60_000))
    } while (stage.endsAt - Date.now() > 70_000)
  },
}

export const restartAll = async (stage: Stage, downMs: number): Promise<void> => {
  await Promise.all(stage.nodes.map(node => node.kill()))
  await stage.wait(downMs)
  await Promise.all(stage.nodes.map(node => node.start()))
  await stage.healthy()
}
