import type { BenchOptions } from './options.js'
import type { Report } from './report.js'

/** One file of bench/ each. */
export interface Question {
  readonly name: string
  readonly asks: string
  /** About how long it takes with the default rounds and seconds. */
  readonly minutes: number
  readonly run: (options: BenchOptions) => Promise<Report>
}
