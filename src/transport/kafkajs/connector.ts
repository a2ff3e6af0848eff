import { UnsupportedApiError } from '../../errors/index.js'
import { produceApi } from '../../protocol/messages/produce.js'
import { type Address, addressKey } from './address.js'
import { BrokerConnection } from './brokerConnection.js'
import type { BrokerHealth } from './brokerHealth.js'
import { connectionError } from './connectionErrors.js'
import { Deadline } from './deadline.js'
import type { KafkajsConnectionPool, KafkajsInside } from './inside.js'
import { negotiate } from './versions.js'

/**
 * Opens connections, and knows all that are open. Each gets a kafkajs pool of its own and uses the first of its two
 * connections: so versions are negotiated per connection, and one that fails takes no other with it.
 */
export class Connector {
  readonly #all = new Set<BrokerConnection>()

  constructor(
    private readonly inside: KafkajsInside,
    private readonly health: BrokerHealth,
  ) {}

  /** Within kafkajs's own limits for its steps; `signal` may end it earlier, with its reason. */
  async open(address: Address, signal: AbortSignal): Promise<BrokerConnection> {
    // kafkajs would take an address without a host for "any seed broker".
    if (address.host === '') throw connectionError('The broker has no host name', address)
    const pool = await this.inside.buildPool(address)
    if (signal.aborted) throw signal.reason
    const broker = this.inside.createBroker(pool)
    const limitMs = openingLimitMs(pool, broker.authenticationTimeout)
    const deadline = new Deadline(
      limitMs,
      () => connectionError(`Connection timeout: not usable after ${limitMs} ms`, address),
      signal,
    )
    const connection = new BrokerConnection(address, pool.pool[0])
    this.#all.add(connection)
    void connection.gone.then(() => this.#all.delete(connection))
    try {
      await connection.open(broker, deadline.signal)
      requireRecords(connection)
      this.health.noteSuccess(addressKey(address))
      return connection
    } catch (error) {
      if (error instanceof UnsupportedApiError) connection.close(error)
      this.health.noteFailure(addressKey(address), performance.now())
      throw error
    } finally {
      deadline.clear()
    }
  }

  /** Resolves when every socket is closed. */
  async closeAll(error: Error): Promise<void> {
    const all = [...this.#all]
    for (const connection of all) connection.close(error)
    await Promise.all(all.map(connection => connection.gone))
  }
}

/**
 * A broker before Kafka 0.11 does not take the record batches that are sent here: that is said on the first connection to it, not at the
 * first record. One that does not list Produce at all may be asked for other things.
 *
 * @throws {UnsupportedApiError}
 */
const requireRecords = ({ versions, address }: BrokerConnection): void => {
  if (versions[produceApi.key] !== undefined) negotiate(produceApi, versions, addressKey(address))
}

/** kafkajs gives each of connecting and ApiVersions `connectionTimeout`, and SASL `authenticationTimeout` (broker/index.js). */
const openingLimitMs = (pool: KafkajsConnectionPool, authenticationTimeoutMs: number): number =>
  2 * pool.connectionTimeout + (pool.sasl == null ? 0 : authenticationTimeoutMs)
