import { figure, figureWithRange, type Table } from './format.js'
import type { Spread } from './stats.js'

/** One claim of the issue with what was measured: the bar must be met, the goal is what is aimed at. */
export interface Claim {
  readonly what: string
  /** undefined: nothing to compare with here. */
  readonly measured: Spread | undefined
  readonly unit: 'x' | 's' | 'ms' | 'MB' | ''
  readonly better: 'higher' | 'lower'
  readonly bar: number
  readonly goal: number
}

/** One bar of a plot: the median, with a whisker from the least to the most. */
export interface PlotBar {
  readonly label: string
  readonly measured: Spread
  readonly ours: boolean
  /** What the length alone does not say, for example how many records were lost. */
  readonly note?: string
}

/** Bars of one unit on one scale, which begins at 0. */
export interface Plot {
  readonly title: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly bars: readonly PlotBar[]
}

export interface Report {
  readonly question: string
  /** What was the same for everyone: acks, window, bytes, compression, partitions, rounds, versions. */
  readonly conditions: readonly string[]
  readonly tables: readonly Table[]
  readonly claims: readonly Claim[]
  /** What could not be compared here and why. */
  readonly skipped: readonly string[]
  /** Drawn below each other in one picture. */
  readonly plots: readonly Plot[]
}

export type Standing = 'goal met' | 'bar met' | 'MISSED' | 'not measured'

const standing = (claim: Claim): Standing => {
  if (claim.measured === undefined || !Number.isFinite(claim.measured.median)) return 'not measured'
  const reaches = (mark: number): boolean =>
    claim.better === 'higher' ? claim.measured!.median >= mark : claim.measured!.median <= mark
  if (reaches(claim.goal)) return 'goal met'
  return reaches(claim.bar) ? 'bar met' : 'MISSED'
}

export const claimsTable = (claims: readonly Claim[]): Table => ({
  title: 'Against the bars',
  columns: ['claim', 'measured', 'bar', 'goal', ''],
  rows: claims.map(claim => {
    const mark = (value: number): string =>
      `${claim.better === 'lower' ? '<= ' : ''}${figure(value)}${claim.unit}`
    const { measured } = claim
    const shown = measured === undefined ? '-' : figureWithRange(measured, claim.unit)
    return [claim.what, shown, mark(claim.bar), mark(claim.goal), standing(claim)]
  }),
})
