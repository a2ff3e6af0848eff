/**
 * Where an axis has its lines: round numbers from 0 to the first that is not below `most`.
 *
 * @param count about so many
 * @param leastStep between two of them: 1 for what is counted
 */
export function roundTicks(most: number, count: number, leastStep = 0): number[] {
  if (!(most > 0)) return [0, 1]
  const rough = Math.max(most / count, leastStep)
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map(each => each * power).find(each => each >= rough * 0.999)!
  const steps = Math.ceil(most / step - 1e-9)
  return Array.from({ length: steps + 1 }, (_, at) => at * step)
}

const STEPS_S = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400,
]

/** Times from 0 to `longMs` at which a clock has round numbers, at most about `count` of them. ms */
export function timeTicks(longMs: number, count: number): number[] {
  const least = longMs / 1000 / count
  const day = STEPS_S.at(-1)!
  const step = (STEPS_S.find(each => each >= least) ?? Math.ceil(least / day) * day) * 1000
  return Array.from({ length: Math.floor(longMs / step) + 1 }, (_, at) => at * step)
}
