import type { ChaosClusterOptions } from '../cluster/chaosCluster.js'
import type { Stage } from '../stage.js'

/** A worst day: what the cluster has to be like, and what is done to it while records are offered. */
export interface Scenario {
  readonly name: string
  /** One line for the report. */
  readonly about: string
  /** How long it takes at least to do everything once. */
  readonly leastSeconds: number
  /** Names of errors with which sends may end here. */
  readonly expectedFailures?: readonly string[]
  readonly cluster?: Omit<ChaosClusterOptions, 'version' | 'partitions'>
  /** Goes on until the stage's time is over, and leaves the cluster whole. */
  readonly run: (stage: Stage) => Promise<void>
}
