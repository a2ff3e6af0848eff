import type { Sink } from '../clients/client.js'

const DRAIN_TIMEOUT_MS = 60_000

/** The window: makes calls as long as it is open and has room, and counts how their records end. */
export class Outstanding implements Sink {
  delivered = 0
  failed = 0
  firstError: string | undefined
  call: () => void = () => undefined

  #outstanding = 0
  #open = false
  #calling = false
  #onDrained: (() => void) | undefined
  #refill: NodeJS.Immediate | undefined
  #giveUp: ((error: unknown) => void) | undefined

  constructor(
    readonly window: number,
    readonly perCall: number,
  ) {}

  /**
   * Keeps the window full for `seconds`, then waits for what is outstanding; rejects when that takes a minute, or when
   * a whole window has failed and nothing was ever delivered.
   */
  async fillFor(seconds: number): Promise<void> {
    this.#open = true
    this.#fill()
    let timer: NodeJS.Timeout | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        timer = setTimeout(resolve, seconds * 1000)
        this.#giveUp = reject
      })
    } finally {
      clearTimeout(timer)
      this.#open = false
      this.#giveUp = undefined
    }
    await this.#drained()
  }

  onDelivered(count: number): void {
    this.delivered += count
    this.#ended(count)
    this.#fill()
  }

  onFailed(count: number, error: unknown): void {
    this.failed += count
    this.firstError ??= error instanceof Error ? error.message : String(error)
    this.#ended(count)
    if (this.delivered === 0 && this.failed >= this.window) this.#giveUp?.(error)
    // Not at once: a client that refuses in the same tick would be called for ever without a turn of the event loop.
    if (this.#refill !== undefined) return
    this.#refill = setImmediate(() => {
      this.#refill = undefined
      this.#fill()
    })
  }

  #ended(count: number): void {
    this.#outstanding -= count
    if (this.#outstanding === 0) this.#onDrained?.()
  }

  #fill(): void {
    // A client may end a record inside the call: the loop below goes on by itself, without recursion.
    if (this.#calling) return
    this.#calling = true
    while (this.#open && this.#outstanding + this.perCall <= this.window) {
      this.#outstanding += this.perCall
      this.call()
    }
    this.#calling = false
  }

  #drained(): Promise<void> {
    if (this.#outstanding === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${this.#outstanding} records without an end after ${DRAIN_TIMEOUT_MS} ms`)),
        DRAIN_TIMEOUT_MS,
      )
      this.#onDrained = () => {
        clearTimeout(timer)
        this.#onDrained = undefined
        resolve()
      }
    })
  }
}
