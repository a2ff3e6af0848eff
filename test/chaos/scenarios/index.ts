import { abortStorm } from './abortStorm.js'
import { badNetwork } from './badNetwork.js'
import { blackHole } from './blackHole.js'
import { burst } from './burst.js'
import { churn } from './churn.js'
import { controllerKill } from './controllerKill.js'
import { elections } from './elections.js'
import { blackout, fullRestart } from './fullRestart.js'
import { idleClose } from './idleClose.js'
import { loginRefused } from './loginRefused.js'
import { medley } from './medley.js'
import { pausedLeader } from './pausedLeader.js'
import { quota } from './quota.js'
import { reauthentication } from './reauthentication.js'
import { recreation } from './recreation.js'
import { rollingKill } from './rollingKill.js'
import { rotatingPrincipal } from './rotatingPrincipal.js'
import type { Scenario } from './scenario.js'
import { sickTopic } from './sickTopic.js'
import { slowHandshake } from './slowHandshake.js'
import { slowReplica } from './slowReplica.js'
import { staleMetadata } from './staleMetadata.js'

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
  burst,
  slowReplica,
  sickTopic,
  churn,
  abortStorm,
  slowHandshake,
  rotatingPrincipal,
  loginRefused,
  blackHole,
  staleMetadata,
  blackout,
  medley,
]
