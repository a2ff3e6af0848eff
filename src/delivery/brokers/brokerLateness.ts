import { unref } from '../../util/realms.js'

/** No broker is late before this, however quick the others are: a collection of garbage takes as long. ms */
const LEAST_PATIENCE_MS = 20
/** A broker is late when it takes this many times as long as the quickest one. */
const PATIENCE_FACTOR = 2
/** How much of the latency estimate each answer replaces. */
const LATENCY_GAIN = 0.25

export interface BrokerLatenessHost {
  /**
   * Since when the oldest thing that was asked of the broker has been waiting for its answer, undefined while nothing is.
   * ms on the clock of `performance.now()`
   */
  readonly waitingSince: number | undefined
  /** The latency of the quickest broker; 0: not known yet. ms */
  readonly quickestMs: number
}

/**
 * Whether a broker answers as soon as the others do. Keyless records are not sent by choice to one that does not (the idea of
 * `partitioner.availability.timeout.ms`, KIP-794). There is no timer while nothing is asked of the broker.
 */
export class BrokerLateness {
  private readonly host: BrokerLatenessHost
  private looks = 0
  private average = 0
  private timer: NodeJS.Timeout | undefined

  constructor(host: BrokerLatenessHost) {
    this.host = host
  }

  /**
   * 0 while the broker is prompt. Grows by one at each look that finds it late, so that who has found nothing better looks
   * again at the next one, and not at each record.
   */
  get lateness(): number {
    return this.looks
  }

  /** How long the broker takes for a request, averaged; 0: not known yet. ms */
  get latencyMs(): number {
    return this.average
  }

  /** From here on the broker is late. ms */
  get patienceMs(): number {
    return Math.max(LEAST_PATIENCE_MS, PATIENCE_FACTOR * this.host.quickestMs)
  }

  /** Something was asked of the broker: its silence is watched from here on. */
  asked(): void {
    if (this.timer !== undefined) return
    // It is not cleared by an answer: at a thousand requests a second, a timer each would cost more than one look too many.
    this.timer = setTimeout(() => {
      // After the sockets: while this process stood still, the answer may have come.
      setImmediate(() => this.look())
    }, this.patienceMs)
    unref(this.timer)
  }

  /** The broker has answered a request. */
  answered(latencyMs: number, now: number): void {
    this.average = this.average === 0 ? latencyMs : this.average + LATENCY_GAIN * (latencyMs - this.average)
    if (this.looks > 0 && !this.isLate(now)) this.looks = 0
  }

  /** The broker cannot be used until {@link usable} is called: it is not reachable, or asks to be left alone. */
  unusable(): void {
    this.looks++
  }

  usable(): void {
    this.looks = 0
  }

  private isLate(now: number): boolean {
    const { waitingSince } = this.host
    return waitingSince !== undefined && now - waitingSince >= this.patienceMs
  }

  private look(): void {
    if (this.timer === undefined) return
    this.timer = undefined
    if (this.host.waitingSince === undefined) return
    if (this.isLate(performance.now())) this.looks++
    this.asked()
  }

  close(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
