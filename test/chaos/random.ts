/** Numbers from 0 to 1 that a seed decides (mulberry32): a run can be made again. */
export type Random = () => number

export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A whole number from `least` up to and without `end`. */
export const whole = (random: Random, least: number, end: number): number =>
  least + Math.floor(random() * (end - least))

/** @throws Error of an empty list */
export const pick = <T>(random: Random, from: readonly T[]): T => {
  if (from.length === 0) throw new Error('nothing to pick from')
  return from[whole(random, 0, from.length)] as T
}
