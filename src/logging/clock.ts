import { unref } from '../util/realms.js'
import { LONGEST_TIMER_MS } from '../util/timers.js'
/** Time as the stages see it; tests put their own in its place. */
export interface Clock {
  /** Monotonic. ms */
  now(): number
  /** Calls `run` once after `delayMs`. Returns what prevents it. */
  after(delayMs: number, run: () => void): () => void
}

/** Its timers do not keep the process alive: they serve only to tell. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, Math.min(Math.max(1, Math.ceil(delayMs)), LONGEST_TIMER_MS))
    unref(timer)
    return () => clearTimeout(timer)
  },
}
