import type { DriverOptions } from '../drivers/driver.js'
import type { DriverName } from '../drivers/index.js'
import type { LoadCommand, LoadOutcome, LoadPlan, Snapshot } from '../load/load.js'

export interface WorkerJob {
  readonly client: DriverName
  readonly options: DriverOptions
  readonly plan: LoadPlan
}

/** A client under load, in this process or in one of its own. */
export interface Worker {
  snapshot(): Promise<Snapshot>
  tell(command: LoadCommand): void
  /** Ends the load; `settleMs` bounds the wait for the last sends. */
  finish(settleMs: number): Promise<WorkerOutcome>
}

export interface WorkerOutcome extends LoadOutcome {
  /** Unhandled rejections and uncaught exceptions. */
  readonly uncaught: readonly string[]
}
