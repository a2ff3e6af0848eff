/** setTimeout fires at once above this. ms */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** A time limit as an AbortSignal, whose reason is the error that ends what it limits. It may stand within another one. */
export class TimeLimit {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  #judging: NodeJS.Immediate | undefined
  readonly #parent: AbortSignal | undefined
  readonly #onParentAbort = () => this.expire(this.#parent?.reason)

  constructor(limitMs: number, error: () => Error, parent?: AbortSignal) {
    this.#timer = setTimeout(
      () => {
        // A process that stood still runs its timers before it reads its sockets: what lies there came in time.
        this.#judging = setImmediate(() => this.expire(error()))
      },
      Math.min(Math.max(0, limitMs), LONGEST_TIMER_MS),
    )
    this.#parent = parent
    if (parent?.aborted) this.expire(parent.reason)
    else parent?.addEventListener('abort', this.#onParentAbort, { once: true })
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  expire(error: Error): void {
    this.clear()
    this.#controller.abort(error)
  }

  /** What it limits has ended: no timer and no listener is left behind. */
  clear(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#judging)
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

/** Runs `step` within a limit of its own. */
export const within = async <T>(
  limitMs: number,
  error: () => Error,
  parent: AbortSignal | undefined,
  step: (signal: AbortSignal) => Promise<T>,
): Promise<T> => {
  const limit = new TimeLimit(limitMs, error, parent)
  try {
    return await abortable(step(limit.signal), limit.signal)
  } finally {
    limit.clear()
  }
}
