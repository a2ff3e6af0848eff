import { randomUUID } from 'node:crypto'
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs'
import type { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import type { KafkaCluster } from './cluster/types.js'
import { isOlder } from './cluster/version.js'

/** The client id of what a test itself asks of a broker, beside the producer under test. */
export const helperClientId = 'test-helper'

/** The broker of a suite, real or embedded: known from the suite's start to its end. */
export class TestBroker {
  #bootstrap: readonly string[] | undefined
  #cluster: KafkaCluster | undefined
  #embedded: EmbeddedKafka | undefined

  /** @param version undefined: not known, taken for a recent one */
  constructor(
    readonly kind: 'embedded' | 'external' | 'docker' | 'local',
    readonly version?: string,
  ) {}

  /** For what older brokers do otherwise. */
  isOlderThan(version: string): boolean {
    return this.version !== undefined && isOlder(this.version, version)
  }

  get bootstrap(): string[] {
    return [...known(this.#bootstrap, 'a broker, before the suite runs')]
  }

  /** The real cluster of the suite's own, to kill and pause its brokers. Throws for a shared or an embedded one. */
  get cluster(): KafkaCluster {
    return known(this.#cluster, 'a cluster of its own')
  }

  /** The embedded cluster, for its journal and its faults. Throws on a real one. */
  get embedded(): EmbeddedKafka {
    return known(this.#embedded, 'an embedded cluster')
  }

  /** A quiet kafkajs client of the broker. */
  kafka(config: Partial<KafkaConfig> = {}): Kafka {
    return new Kafka({ brokers: this.bootstrap, logLevel: logLevel.NOTHING, ...config })
  }

  /** A kafkajs client for the test's own admin calls and consumers: its requests are left out of what the journal is asserted on. */
  helper(): Kafka {
    return this.kafka({ clientId: helperClientId })
  }

  use(
    bootstrap: readonly string[],
    { cluster, embedded }: { cluster?: KafkaCluster; embedded?: EmbeddedKafka } = {},
  ): void {
    this.#bootstrap = bootstrap
    this.#cluster = cluster
    this.#embedded = embedded
  }

  /** Ends what belongs to the suite alone. */
  async end(): Promise<void> {
    await this.#cluster?.stop()
    await this.#embedded?.close()
  }
}

function known<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`this suite has not got ${what}`)
  return value
}

/** A topic name that no other test uses: shared brokers keep the topics of every suite. */
export const uniqueTopic = (prefix: string): string => `${prefix}-${randomUUID().slice(0, 8)}`
