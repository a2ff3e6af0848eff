/** What a wait at a gate ended with: `aborted` when the broker stopped or the cluster closed before the gate opened. */
export type GateOutcome = 'opened' | 'aborted'

/**
 * A place where requests wait until a test lets them continue: with it a test forces an interleaving without sleeping.
 *
 * @example
 * const gate = cluster.gate()
 * cluster.on('Produce', hold(gate))
 */
export class Gate {
  private opened = false
  private arrivals = 0
  private readonly waiting = new Set<() => void>()
  private readonly expecting: { count: number; resolve: () => void }[] = []

  /** Resolves when the first request (or topic creation) waits at the gate. */
  readonly arrived: Promise<void> = this.arrivedCount(1)

  /** How many requests have come to the gate so far. */
  get count(): number {
    return this.arrivals
  }

  /** Whether requests pass it without waiting. */
  get isOpen(): boolean {
    return this.opened
  }

  /**
   * Resolves when `count` requests in all have come to the gate.
   *
   * @example await gate.arrivedCount(3)
   */
  arrivedCount(count: number): Promise<void> {
    if (this.arrivals >= count) return Promise.resolve()
    return new Promise(resolve => this.expecting.push({ count, resolve }))
  }

  /**
   * Lets all waiting requests continue, and all that come later.
   *
   * @example gate.open()
   */
  open(): void {
    this.opened = true
    for (const release of [...this.waiting]) release()
  }

  /**
   * Waits for the gate to open. The verbs `hold` and `holdAnswer` use it; so can a fault of your own.
   *
   * @param signal - ends the wait as `aborted`: a fault's `request.stopped` or `request.closed`
   * @example
   * cluster.on('Produce', async (request, next) => ((await gate.wait(request.stopped)) === 'opened' ? next() : null))
   */
  wait(signal: AbortSignal): Promise<GateOutcome> {
    this.arrivals++
    for (const each of this.expecting) if (each.count <= this.arrivals) each.resolve()
    if (signal.aborted) return Promise.resolve('aborted')
    if (this.opened) return Promise.resolve('opened')
    return new Promise(resolve => {
      const end = (outcome: GateOutcome) => {
        this.waiting.delete(release)
        signal.removeEventListener('abort', abort)
        resolve(outcome)
      }
      const release = () => end('opened')
      const abort = () => end('aborted')
      this.waiting.add(release)
      signal.addEventListener('abort', abort)
    })
  }
}
