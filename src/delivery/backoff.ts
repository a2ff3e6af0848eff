/** How long to wait before the next attempt: exponential, bounded, jittered by a fifth, as the Java client does. */
export interface Backoff {
  readonly minMs: number
  readonly maxMs: number
  readonly factor: number
}

/**
 * @param failures how many attempts failed so far, at least 1
 * @param random a number from 0 to 1
 */
export const backoffMs = ({ minMs, maxMs, factor }: Backoff, failures: number, random: number): number => {
  const nominal = Math.min(maxMs, minMs * factor ** Math.min(failures - 1, 60))
  return nominal * (0.8 + 0.4 * random)
}
