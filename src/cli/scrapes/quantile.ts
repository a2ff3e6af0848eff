/**
 * A quantile of a histogram, as Prometheus's `histogram_quantile` estimates it: linear within its bucket.
 *
 * @param buckets upper bound and the count up to it, ascending; the last bound is infinite
 * @param quantile from 0 to 1
 * @returns undefined where nothing was observed; Infinity beyond the last finite bound
 */
export function quantileOf(
  buckets: readonly (readonly [number, number])[],
  quantile: number,
): number | undefined {
  const last = buckets.at(-1)
  if (last === undefined || last[0] !== Infinity || !(last[1] > 0)) return undefined
  const rank = quantile * last[1]
  let lower = 0
  let below = 0
  for (const [bound, count] of buckets) {
    if (count >= rank && count > below) {
      if (bound === Infinity) return Infinity
      return lower + ((bound - lower) * (rank - below)) / (count - below)
    }
    lower = bound
    // A counter that began anew in the meantime can make a bucket smaller than the one before it.
    below = Math.max(below, count)
  }
  return Infinity
}
