const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

/** The value below which `share` (0 to 1) of the values lie, by linear interpolation; NaN of none. */
export const quantile = (values: readonly number[], share: number): number => {
  const all = sorted(values)
  if (all.length === 0) return Number.NaN
  const at = (all.length - 1) * share
  const low = all[Math.floor(at)]!
  return low + (all[Math.ceil(at)]! - low) * (at % 1)
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
})

/**
 * Ratios of what was measured in the same round: rounds are neighbours in time, so that a busy machine slows both
 * sides of a pair alike. Rounds in which either side has no figure are left out.
 */
export const pairedRatios = (
  above: readonly (number | undefined)[],
  below: readonly (number | undefined)[],
): number[] =>
  above.flatMap((value, round) => {
    const other = below[round]
    return value === undefined || other === undefined || other === 0 ? [] : [value / other]
  })
