import { pick } from '../random.js'
import type { Scenario } from './scenario.js'

const HANDSHAKE_MS = 4_000
const SPELL_MS = 7_000

export const slowHandshake: Scenario = {
  name: 'slow-handshake',
  about: `the first answer on a new connection takes ${HANDSHAKE_MS} ms, and a broker's connections are cut again and again`,
  leastSeconds: 25,
  cluster: { between: 'proxies' },
  async run(stage) {
    for (const proxy of stage.proxies) proxy.handshakeMs = HANDSHAKE_MS
    while (!stage.isOver) {
      await stage.wait(1_500)
      const proxy = pick(stage.random, stage.proxies)
      await stage.fault(`connections to broker ${stage.proxies.indexOf(proxy) + 1} cut`, async () => {
        for (const connection of proxy.connections) connection.cut()
        await stage.wait(SPELL_MS)
      })
    }
    for (const proxy of stage.proxies) proxy.handshakeMs = 0
  },
}
