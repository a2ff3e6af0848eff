/** How long to wait before the next attempt: exponential, bounded, jittered by a fifth as the Java client's unless told otherwise. */
export interface Backoff {
  readonly minMs: number
  readonly maxMs: number
  readonly factor: number
  /** The share of a wait by which it is lengthened or shortened at most, from 0 to 1. Default 0.2. */
  readonly jitter?: number
}

/**
 * @param failures how many attempts failed so far, at least 1
 * @param random a number from 0 to 1
 */
export const backoffMs = (
  { minMs, maxMs, factor, jitter = 0.2 }: Backoff,
  failures: number,
  random: number,
): number => {
  const nominal = Math.min(maxMs, minMs * factor ** Math.min(failures - 1, 60))
  return nominal * (1 - jitter + 2 * jitter * random)
}
