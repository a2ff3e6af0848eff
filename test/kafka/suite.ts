import type { EmbeddedKafkaOptions } from 'kafkajs-resilient-producer/testing'
import { afterAll, afterEach, beforeAll, describe, expect, inject } from 'vitest'
import { startCluster } from './cluster/index.js'
import type { ClusterOptions } from './cluster/types.js'
import { isOlder } from './cluster/version.js'
import { helperClientId, TestBroker } from './testBroker.js'

export { TestBroker, uniqueTopic } from './testBroker.js'

/** Where a suite of {@link forEachBroker} runs. */
export interface BrokerChoice {
  readonly real: RealKafka
  readonly embedded?: EmbeddedKafkaOptions
  /** Real brokers older than this are left out. */
  readonly since?: string
}

/** `shared`: the run's one broker, with auto-creation on. Options: a fresh cluster for this suite alone (2 to 7 s). */
export type RealKafka = 'shared' | ClusterOptions

/**
 * A suite on a real Kafka: the best that `KAFKA_BROKERS`, Docker or Java can give. Where there is none its tests are skipped, with the
 * reason in the name, and counted as such at the end of the run.
 *
 * ```ts
 * describeKafka('auto-creation off', { config: { 'auto.create.topics.enable': 'false' } }, broker => {
 *   test('...', async () => { const kafka = broker.kafka(); ... })
 * })
 * ```
 */
export function describeKafka(
  name: string,
  real: RealKafka,
  define: (broker: TestBroker) => void,
  { since = '0' }: Pick<BrokerChoice, 'since'> = {},
): void {
  const { shared, source, reasons, owner } = inject('kafka')
  const kind = real === 'shared' ? shared?.kind : source?.kind
  const version = kind === 'local' && source?.kind === 'local' ? source.version : undefined
  const isTooOld = version !== undefined && isOlder(version, since)
  const title = kind ? `${name} [${kind} Kafka]` : `${name} [no real Kafka: ${reasons.join('; ')}]`
  describe.skipIf(!kind || isTooOld)(title, { meta: { kafka: kind ?? 'none' } }, () => {
    const broker = new TestBroker(kind ?? 'external', version)
    beforeAll(async () => {
      if (real === 'shared') broker.use(shared?.bootstrap ?? [])
      else if (source) {
        const cluster = await startCluster(source, { owner, ...real })
        broker.use(cluster.bootstrap, { cluster })
      }
    })
    afterAll(() => broker.end())
    define(broker)
  })
}

/**
 * A suite on the embedded cluster. After each test its journal is asserted to hold no all-topics metadata request, but those of `broker.helper()`.
 *
 * The cluster lives as long as the suite: close() fails it on faults that were scripted and never met.
 */
export function describeEmbedded(
  name: string,
  options: EmbeddedKafkaOptions,
  define: (broker: TestBroker) => void,
): void {
  describe(`${name} [embedded]`, () => {
    const broker = new TestBroker('embedded', options.version)
    beforeAll(async () => {
      const { EmbeddedKafka } = await import('kafkajs-resilient-producer/testing')
      const embedded = await EmbeddedKafka.start(options)
      broker.use(embedded.bootstrap, { embedded })
    })
    afterEach(() => {
      const allTopics = broker.embedded.journal
        .allTopicsRequests()
        .filter(({ clientId }) => clientId !== helperClientId)
      expect(allTopics, 'metadata requests for all topics').toEqual([])
    })
    afterAll(() => broker.end())
    define(broker)
  })
}

/** The same suite twice: on the embedded cluster (with the real one's broker count and settings) and on a real Kafka. */
export function forEachBroker(
  name: string,
  { real, embedded = embeddedLike(real), ...choice }: BrokerChoice,
  define: (broker: TestBroker) => void,
): void {
  describeEmbedded(name, embedded, define)
  describeKafka(name, real, define, choice)
}

function embeddedLike(real: RealKafka): EmbeddedKafkaOptions {
  if (real === 'shared') return {}
  const { brokers = 1, config = {} } = real
  return {
    brokers,
    config,
    ...(config['auto.create.topics.enable'] === 'false' ? { autoCreate: false } : {}),
  }
}
