import { unref } from '../util/realms.js'
/** Time as the stages see it; tests put their own in its place. */
export interface Clock {
  /** Monotonic. ms */
  now(): number
  /** Calls `run` once after `delayMs`. Returns what prevents it. */
  after(delayMs: number, run: () => void): () => void
}

/** Node turns a longer delay into 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Its timers do not keep the process alive: they serve only to tell. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(1, Math.ceil(delayMs)), LONGEST_TIMER_MS))
    unref(timer)
    return () => clearTimeout(timer)
  },
}
