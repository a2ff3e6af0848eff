import { FAULT_KINDS } from '../check/checker.js'
import type { MemorySample } from '../load/memoryWatch.js'
import type { RunReport } from '../run.js'

const GROWTH_BYTES = 24 * 1024 * 1024
/** Fewer would compare noise. */
const SAMPLES = 12
const QUIET_IN_FLIGHT = 2_000

/**
 * How much more a process holds at the quiet moments of the last third than at those of the middle one: what the first
 * third filled (pools, caches, compiled code) is no growth. bytes; undefined for a run too short to tell.
 */
const growth = (samples: readonly MemorySample[]): number | undefined => {
  const quiet = samples.filter(({ inFlight }) => inFlight < QUIET_IN_FLIGHT).map(({ heldBytes }) => heldBytes)
  if (quiet.length < SAMPLES) return undefined
  const third = Math.floor(quiet.length / 3)
  return median(quiet.slice(-third)) - median(quiet.slice(third, 2 * third))
}

export const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
}

/** What does not hold, a line each; empty: everything holds. */
export const broken = ({ findings, outcome, expectedFailures }: RunReport): string[] => {
  const problems = FAULT_KINDS.filter(kind => findings.faults[kind] > 0).map(
    kind => `${findings.faults[kind]} ${kind}`,
  )
  if (findings.hung > 0) problems.push(`${findings.hung} sends never ended`)
  const expected = outcome.failures.filter(({ name }) => expectedFailures.includes(name))
  const failed = findings.failed - expected.reduce((sum, { count }) => sum + count, 0)
  if (failed > 0) problems.push(`${failed} sends failed`)
  if (outcome.uncaught.length > 0) problems.push(`${outcome.uncaught.length} uncaught errors`)
  if (outcome.closeFailure !== undefined) problems.push(outcome.closeFailure)
  const grown = growth(outcome.memory)
  if (grown !== undefined && grown > GROWTH_BYTES) {
    problems.push(`memory grew by ${Math.round(grown / 1024 / 1024)} MiB`)
  }
  return problems
}
