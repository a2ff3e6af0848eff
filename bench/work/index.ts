import type { AwaitedResult, AwaitedWork } from './awaited.js'
import type { IdleResult, IdleWork } from './idle.js'
import type { NewTopicsResult, NewTopicsWork } from './newTopics.js'
import type { PacedResult, PacedWork } from './paced.js'
import type { StoppedBrokerResult, StoppedBrokerWork } from './stoppedBroker.js'
import type { ThroughputResult, ThroughputWork } from './throughput.js'

/** What one child does with one client. */
export type Work = ThroughputWork | AwaitedWork | PacedWork | NewTopicsWork | IdleWork | StoppedBrokerWork

interface Results {
  throughput: ThroughputResult
  awaited: AwaitedResult
  paced: PacedResult
  newTopics: NewTopicsResult
  idle: IdleResult
  stoppedBroker: StoppedBrokerResult
}

export type ResultOf<W extends Work> = Results[W['kind']]
