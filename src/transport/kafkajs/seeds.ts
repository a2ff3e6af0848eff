import kafkajs from 'kafkajs'
import { messageOf, NonRetriableError } from '../../errors/bases.js'
import { printable, quoted } from '../../util/printable.js'
import { type Address, addressKey, parseAddress } from '../address.js'
import { withCause } from '../connection/connectionErrors.js'
import { captureList } from './capturedList.js'
import type { PoolBuilder } from './cluster.js'

/**
 * The seeds of a KafkaConfig's `brokers`, beginning with the `turn`th.
 *
 * @throws KafkaJSConnectionError when the function throws; {NonRetriableError} on what is no list of addresses
 */
export async function* configuredSeeds(brokers: unknown, turn: number): AsyncGenerator<Address> {
  let list = brokers
  if (typeof brokers === 'function') {
    try {
      list = await brokers()
    } catch (error) {
      const message = `Failed to connect: "config.brokers" threw: ${messageOf(error)}`
      throw withCause(new kafkajs.KafkaJSConnectionError(printable(message)), error)
    }
  }
  yield* addressesOf(list, turn)
}

/** The seeds of a Kafka that was made elsewhere: kafkajs gives one after the other, without end, cut at its first colon. */
export async function* builtSeeds(builder: PoolBuilder, turn: number): AsyncGenerator<Address> {
  const seen = new Set<string>()
  for (;;) {
    const { host, port } = (await builder.build()) as Address
    if (isCutShort(host, port)) {
      const list = await captureList(() => builder.build())
      if (list === undefined)
        throw new NonRetriableError(
          'An address in `brokers` cannot be read from this Kafka. Write "host:port", or give the KafkaConfig itself: createResilientProducer({ brokers, ... }).',
        )
      return yield* addressesOf(list, turn)
    }
    if (seen.has(addressKey({ host, port }))) return
    seen.add(addressKey({ host, port }))
    yield { host, port }
  }
}

const MAX_PORT = 65_535

/** The first group of an IPv6 address is left of its host, and what follows of its port. A host of such letters is read again in vain. */
const isCutShort = (host: string, port: number): boolean =>
  !(port > 0 && port <= MAX_PORT) || host === '' || host.startsWith('[') || /^[0-9a-f]{1,4}$/i.test(host)

function* addressesOf(list: unknown, turn: number): Generator<Address> {
  if (!Array.isArray(list))
    throw new NonRetriableError('Failed to connect: brokers should be an array of "host:port"')
  if (list.length === 0) throw new NonRetriableError('Failed to connect: brokers array is empty')
  const addresses = list.map(addressOf)
  const start = turn % addresses.length
  yield* [...addresses.slice(start), ...addresses.slice(0, start)]
}

const addressOf = (seed: unknown, index: number): Address => {
  const address = typeof seed === 'string' ? parseAddress(seed) : undefined
  if (address !== undefined) return address
  const shown = typeof seed === 'string' ? quoted(seed) : typeof seed
  throw new NonRetriableError(
    `Failed to connect: broker at index ${index} is ${shown}, not "host:port" or "[IPv6 address]:port"`,
  )
}
