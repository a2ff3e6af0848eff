import { addUser, USER } from '../cluster/users.js'
import type { Scenario } from './scenario.js'

const OTHER_USER = 'producer-2'
const ROUND_MS = 4_000

export const rotatingPrincipal: Scenario = {
  name: 'rotating-principal',
  about:
    'sessions end after 2 s (connections.max.reauth.ms), and every other login is another user: brokers answer that a connection cannot change principals',
  leastSeconds: 20,
  cluster: { entry: 'scram over TLS', config: { 'connections.max.reauth.ms': '2000' } },
  async run(stage) {
    await addUser(stage.addresses, OTHER_USER)
    for (let round = 0; !stage.isOver; round++) {
      const username = round % 2 === 0 ? OTHER_USER : USER
      await stage.fault(`logins are ${username}'s from here on`, async () => {
        stage.load({ change: 'user', username })
        stage.addTopics([`rotation-${round}`], 10)
        await stage.wait(ROUND_MS)
      })
    }
  },
}
