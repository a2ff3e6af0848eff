const FIRST_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 10_000

/** Remembers which addresses failed lately. Time is given from outside, in milliseconds of one monotonic clock. */
export class BrokerHealth {
  readonly #failed = new Map<string, { count: number; until: number }>()

  noteFailure(address: string, now: number): void {
    const count = (this.#failed.get(address)?.count ?? 0) + 1
    this.#failed.set(address, {
      count,
      until: now + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (count - 1)),
    })
  }

  noteSuccess(address: string): void {
    this.#failed.delete(address)
  }

  failedLately(address: string, now: number): boolean {
    const failure = this.#failed.get(address)
    return failure !== undefined && now < failure.until
  }

  /** Forgets all but these addresses, so that brokers which come and go do not pile up. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const address of this.#failed.keys()) if (!addresses.has(address)) this.#failed.delete(address)
  }
}
