/** setTimeout fires at once above this. ms */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * A time limit as an AbortSignal, whose reason is the error that ends what it limits. It may stand within another one.
 */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #endsAt: number
  readonly #parent: AbortSignal | undefined
  readonly #onParentAbort = () => this.expire(this.#parent?.reason)

  constructor(limitMs: number, error: () => Error, parent?: AbortSignal) {
    this.#endsAt = performance.now() + limitMs
    this.#timer = setTimeout(() => this.expire(error()), Math.min(Math.max(0, limitMs), LONGEST_TIMER_MS))
    this.#parent = parent
    if (parent?.aborted) this.expire(parent.reason)
    else parent?.addEventListener('abort', this.#onParentAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get remainingMs(): number {
    return Math.max(0, this.#endsAt - performance.now())
  }

  expire(error: Error): void {
    this.clear()
    this.#controller.abort(error)
  }

  /** What it limits has ended: no timer and no listener is left behind. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#parent?.removeEventListener('abort', this.#onParentAbort)
  }
}

/** Settles as `promise` does, or rejects with the signal's reason if that comes first. */
export const abortable = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    const settled = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    // Taken care of even after an abort: a late rejection must not become an unhandled one.
    promise.then(resolve, reject).finally(settled)
  })
