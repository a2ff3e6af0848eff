import { badNetwork } from './badNetwork.js'
import { controllerKill } from './controllerKill.js'
import { elections } from './elections.js'
import { blackout, fullRestart } from './fullRestart.js'
import { idleClose } from './idleClose.js'
import { medley } from './medley.js'
import { pausedLeader } from './pausedLeader.js'
import { quota } from './quota.js'
import { reauthentication } from './reauthentication.js'
import { recreation } from './recreation.js'
import { rollingKill } from './rollingKill.js'
import type { Scenario } from './scenario.js'

export const SCENARIOS: readonly Scenario[] = [
  rollingKill,
  pausedLeader,
  controllerKill,
  badNetwork,
  elections,
  fullRestart,
  recreation,
  quota,
  idleClose,
  reauthentication,
  blackout,
  medley,
]
