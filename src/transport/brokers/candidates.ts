import { type Address, addressKey } from '../address.js'
import type { BrokerHealth } from './brokerHealth.js'
import type { AddressOrigin } from './connector.js'

export interface KnownBroker extends Address {
  readonly nodeId: number
}

export interface Candidate {
  readonly address: Address
  readonly origin: AddressOrigin
}

/** The known brokers, those to try before the seed list and those to try after it, from the `turn`th on. */
export const orderKnown = (
  brokers: readonly KnownBroker[],
  health: BrokerHealth,
  avoid: number | undefined,
  turn: number,
  now: number,
): { first: KnownBroker[]; last: KnownBroker[] } => {
  const first: KnownBroker[] = []
  const avoided: KnownBroker[] = []
  const last: KnownBroker[] = []
  const start = brokers.length === 0 ? 0 : turn % brokers.length
  for (let i = 0; i < brokers.length; i++) {
    const broker = brokers[(start + i) % brokers.length]!
    if (health.failedLately(addressKey(broker), now)) last.push(broker)
    else if (broker.nodeId === avoid) avoided.push(broker)
    else first.push(broker)
  }
  return { first: [...first, ...avoided], last }
}

/**
 * Each address once: healthy known brokers, the seeds, known brokers that failed lately.
 *
 * @param nextSeed undefined: there is no other one, or none is needed any more
 */
export async function* candidates(
  { first, last }: { readonly first: readonly Address[]; readonly last: readonly Address[] },
  nextSeed: () => Promise<Address | undefined>,
): AsyncGenerator<Candidate> {
  const tried = new Set<string>()
  const fresh = (address: Address): boolean => {
    const key = addressKey(address)
    return !tried.has(key) && tried.add(key) !== undefined
  }
  for (const address of first) if (fresh(address)) yield { address, origin: 'advertised' }
  let seedError: { readonly error: unknown } | undefined
  try {
    for (let seed = await nextSeed(); seed !== undefined; seed = await nextSeed()) {
      if (fresh(seed)) yield { address: seed, origin: 'seed' }
    }
  } catch (error) {
    seedError = { error }
  }
  for (const address of last) if (fresh(address)) yield { address, origin: 'advertised' }
  if (seedError !== undefined) throw seedError.error
}
