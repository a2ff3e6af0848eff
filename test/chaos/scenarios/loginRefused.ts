import { addUser, removeUser, USER } from '../cluster/users.js'
import type { Scenario } from './scenario.js'

const REFUSED_MS = 2_000

export const loginRefused: Scenario = {
  name: 'login-refused',
  about:
    'a broker that was killed and started again refuses logins for two seconds, as before it has read its users',
  leastSeconds: 20,
  cluster: { entry: 'scram over TLS' },
  async run(stage) {
    for (let round = 0; !stage.isOver; round++) {
      await stage.wait(1_500)
      const node = stage.nodes[round % stage.nodes.length]!
      await stage.fault(`broker ${node.id} restarted, logins refused for ${REFUSED_MS} ms`, async () => {
        await removeUser(stage.addresses, USER)
        await stage.kill(node)
        await node.start()
        await stage.wait(REFUSED_MS)
        await addUser(stage.addresses, USER)
        await stage.healthy()
      })
    }
  },
}
