import { type Address, addressKey } from './address.js'
import type { BrokerHealth } from './brokerHealth.js'

export interface KnownBroker extends Address {
  readonly nodeId: number
}

export interface Candidate {
  readonly address: Address
  /** Others can be asked should this one not be reached: it may use a part of the time only. */
  readonly hasAlternatives: boolean
}

/** The known brokers, those to try before the seed list and those to try after it, from the `turn`th on. */
export const orderKnown = (
  brokers: readonly KnownBroker[],
  health: BrokerHealth,
  avoid: number | undefined,
  turn: number,
  now: number,
): { first: KnownBroker[]; last: KnownBroker[] } => {
  const start = brokers.length === 0 ? 0 : turn % brokers.length
  const rotated = [...brokers.slice(start), ...brokers.slice(0, start)]
  const healthy: KnownBroker[] = []
  const last: KnownBroker[] = []
  for (const each of rotated) (health.failedLately(addressKey(each), now) ? last : healthy).push(each)
  return {
    first: [
      ...healthy.filter(each => each.nodeId !== avoid),
      ...healthy.filter(each => each.nodeId === avoid),
    ],
    last,
  }
}

/** Each address once: healthy known brokers, the seeds (until one comes again), known brokers that failed lately. */
export async function* candidates(
  { first, last }: { readonly first: readonly Address[]; readonly last: readonly Address[] },
  nextSeed: () => Promise<Address>,
): AsyncGenerator<Candidate> {
  const tried = new Set<string>()
  const fresh = (address: Address): boolean => {
    const key = addressKey(address)
    return !tried.has(key) && tried.add(key) !== undefined
  }
  const hasAlternatives = first.length + last.length > 1
  for (const address of first) if (fresh(address)) yield { address, hasAlternatives }

  const seeds = new Set<string>()
  for (;;) {
    const address = await nextSeed()
    if (seeds.has(addressKey(address))) break
    seeds.add(addressKey(address))
    if (fresh(address)) yield { address, hasAlternatives: false }
  }
  for (const address of last) if (fresh(address)) yield { address, hasAlternatives }
}
