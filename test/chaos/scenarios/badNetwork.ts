import { playTrick } from '../proxy/mischief.js'
import { whole } from '../random.js'
import type { Stage } from '../stage.js'
import type { Scenario } from './scenario.js'

const SPELL_MS = 5_000
const CALM_MS = 1_000

export const badNetwork: Scenario = {
  name: 'bad-network',
  about:
    'a proxy before each broker cuts, stalls, slows, half-closes and mutes connections at random moments',
  leastSeconds: 12,
  cluster: { between: 'proxies' },
  async run(stage) {
    while (!stage.isOver) {
      await stage.wait(CALM_MS)
      await stage.fault('tricks on connections', () => playTricks(stage, SPELL_MS))
    }
  },
}

export const playTricks = async (stage: Stage, ms: number): Promise<void> => {
  const end = Date.now() + ms
  while (Date.now() < end) {
    const refusing =
      stage.random() < 0.05 ? stage.proxies[whole(stage.random, 0, stage.proxies.length)] : undefined
    if (refusing !== undefined) {
      stage.say('  a proxy refuses new connections for 1 s')
      refusing.isRefusing = true
      setTimeout(() => (refusing.isRefusing = false), 1_000)
    } else {
      const played = playTrick(stage.proxies, stage.random)
      if (played !== undefined) stage.say(`  ${played}`)
    }
    await stage.wait(whole(stage.random, 50, 500))
  }
}
