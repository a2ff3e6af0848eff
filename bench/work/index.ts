import type { AbortsResult, AbortsWork } from './aborts.js'
import type { AwaitedResult, AwaitedWork } from './awaited.js'
import type { IdleResult, IdleWork } from './idle.js'
import type { IsolationResult, IsolationWork } from './isolation.js'
import type { NewTopicsResult, NewTopicsWork } from './newTopics.js'
import type { PacedResult, PacedWork } from './paced.js'
import type { StallsResult, StallsWork } from './stalls.js'
import type { SteadyResult, SteadyWork } from './steady.js'
import type { StoppedBrokerResult, StoppedBrokerWork } from './stoppedBroker.js'
import type { ThroughputResult, ThroughputWork } from './throughput.js'

/** What one child does with one client. */
export type Work =
  | ThroughputWork
  | AwaitedWork
  | PacedWork
  | SteadyWork
  | NewTopicsWork
  | IdleWork
  | StoppedBrokerWork
  | AbortsWork
  | IsolationWork
  | StallsWork

interface Results {
  throughput: ThroughputResult
  awaited: AwaitedResult
  paced: PacedResult
  newTopics: NewTopicsResult
  idle: IdleResult
  stoppedBroker: StoppedBrokerResult
  steady: SteadyResult
  aborts: AbortsResult
  isolation: IsolationResult
  stalls: StallsResult
}

export type ResultOf<W extends Work> = Results[W['kind']]
