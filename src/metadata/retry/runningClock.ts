import { unref } from '../../util/realms.js'

/** How often a running clock looks whether the process stood still. ms */
const BEAT_MS = 100

/** A beat that comes later than this was held up: the process was frozen, collected garbage, or worked in one piece. ms */
const STALL_MS = 100

/**
 * Measures the time in which the process could work. What it stood still (a frozen container, a long garbage collection,
 * a blocked event loop) does not count, so that a retry budget is spent by attempts only.
 *
 * It beats while it is started, without keeping the process alive; one that is stopped must not be read.
 */
export class RunningClock {
  #timer: NodeJS.Timeout | undefined
  #lastSeen = 0
  #stalledMs = 0

  start(): void {
    if (this.#timer) return
    this.#lastSeen = performance.now()
    this.#timer = setInterval(() => this.#look(), BEAT_MS)
    unref(this.#timer)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** ms, from an arbitrary point */
  get now(): number {
    return this.#look() - this.#stalledMs
  }

  /** Also called by whoever reads the clock: after a stall, other timers may fire before the beat does. */
  #look(): number {
    const now = performance.now()
    const gap = now - this.#lastSeen
    if (gap > BEAT_MS + STALL_MS) this.#stalledMs += gap - BEAT_MS
    this.#lastSeen = now
    return now
  }
}
