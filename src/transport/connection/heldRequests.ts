import type { NetworkEvents } from './networkEvents.js'
import type { OutgoingRequest } from './outgoingRequest.js'

/** setTimeout fires at once above this. ms */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The requests that a quota holds back: a broker answers first and expects its client to pause by itself (KIP-219). On a clock that
 * nobody sets back. There is a timer only while requests wait.
 */
export class HeldRequests {
  readonly #events: NetworkEvents
  readonly #send: (request: OutgoingRequest) => void
  #until = 0
  #waiting: OutgoingRequest[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(events: NetworkEvents, send: (request: OutgoingRequest) => void) {
    this.#events = events
    this.#send = send
  }

  get count(): number {
    return this.#waiting.length
  }

  get forMs(): number {
    return this.#until === 0 ? 0 : Math.max(0, this.#until - performance.now())
  }

  /** @param ms from now on; what was asked before and ends later holds */
  holdFor(ms: number): void {
    if (ms > 0) this.#until = Math.max(this.#until, performance.now() + ms)
  }

  add(request: OutgoingRequest): void {
    this.#waiting.push(request)
    this.#wait()
    this.#events.queueSize(this.#waiting.length)
  }

  /** @returns false when it does not wait here */
  withdraw(request: OutgoingRequest): boolean {
    const at = this.#waiting.indexOf(request)
    if (at < 0) return false
    this.#waiting.splice(at, 1)
    if (this.#waiting.length === 0) this.#stop()
    this.#events.queueSize(this.#waiting.length)
    return true
  }

  takeAll(): readonly OutgoingRequest[] {
    this.#stop()
    const all = this.#waiting.splice(0)
    if (all.length > 0) this.#events.queueSize(0)
    return all
  }

  #wait(): void {
    this.#timer ??= setTimeout(
      () => {
        this.#timer = undefined
        this.#serve()
      },
      Math.min(Math.ceil(this.forMs), LONGEST_TIMER_MS),
    )
  }

  #serve(): void {
    if (this.#waiting.length === 0) return
    if (this.forMs > 0) return this.#wait()
    const due = this.#waiting.splice(0)
    for (const request of due) this.#send(request)
    this.#events.queueSize(0)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
