import type { BrokerTrouble } from '../port.js'

const FIRST_BACKOFF_MS = 250
const MAX_BACKOFF_MS = 10_000

/** Remembers which addresses failed lately. Time is given from outside, in milliseconds of one monotonic clock. */
export class BrokerHealth {
  readonly #failed = new Map<string, { failures: number; until: number; since: number; cause: Error }>()

  noteFailure(address: string, now: number, cause: Error): void {
    const before = this.#failed.get(address)
    const failures = (before?.failures ?? 0) + 1
    this.#failed.set(address, {
      failures,
      until: now + Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1)),
      since: before?.since ?? now,
      cause,
    })
  }

  noteSuccess(address: string): void {
    this.#failed.delete(address)
  }

  failedLately(address: string, now: number): boolean {
    const failure = this.#failed.get(address)
    return failure !== undefined && now < failure.until
  }

  causeOf(address: string): Error | undefined {
    return this.#failed.get(address)?.cause
  }

  get troubles(): readonly BrokerTrouble[] {
    return [...this.#failed].map(([broker, { cause, since, failures }]) => ({
      broker,
      cause,
      since,
      failures,
    }))
  }

  /** Forgets all but these addresses, so that brokers which come and go do not pile up. */
  keepOnly(addresses: ReadonlySet<string>): void {
    for (const address of this.#failed.keys()) if (!addresses.has(address)) this.#failed.delete(address)
  }
}
