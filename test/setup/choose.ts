import type { Found } from '../kafka/cluster/source.js'
import type { ClusterSource } from '../kafka/cluster/types.js'

/** What the tests of one run use for a real Kafka. Travels to the workers by vitest's `provide`. */
export interface KafkaForTests {
  /** The broker that suites share; undefined: none, and the tests that need a real one are skipped. */
  readonly shared:
    | { readonly kind: 'external' | 'docker' | 'local'; readonly bootstrap: readonly string[] }
    | undefined
  /** Where suites get clusters of their own from; undefined: nowhere. */
  readonly source: ClusterSource | undefined
  /** Why better ones than those are not used, a line each. */
  readonly reasons: readonly string[]
  /** The process id of the run: clusters of its workers carry it, so that its end removes them whatever became of the worker. */
  readonly owner: number
}

export interface Means {
  readonly findDocker: () => Promise<Found>
  readonly findLocal: () => Promise<Found>
  /** Starts the shared broker; its addresses. */
  readonly start: (source: ClusterSource) => Promise<readonly string[]>
  /** Resolves when a broker of `KAFKA_BROKERS` answers. */
  readonly reach: (bootstrap: readonly string[]) => Promise<void>
}

const kinds = ['auto', 'docker', 'local', 'embedded'] as const

/**
 * The best Kafka for this run: `KAFKA_BROKERS`, else Docker, else local processes, else none (the embedded cluster only).
 * `KAFKA_TEST_BROKER` (auto, docker, local, embedded) asks for one of them.
 *
 * @throws Error where what the environment asks for cannot be had
 */
export async function chooseKafka(
  env: NodeJS.ProcessEnv,
  owner: number,
  means: Means,
): Promise<KafkaForTests> {
  const wanted = env.KAFKA_TEST_BROKER || 'auto'
  if (!kinds.some(kind => kind === wanted))
    throw new Error(`KAFKA_TEST_BROKER=${wanted}: not one of ${kinds.join(', ')}`)
  if (wanted === 'embedded')
    return { shared: undefined, source: undefined, reasons: ['KAFKA_TEST_BROKER=embedded'], owner }
  const external = wanted === 'auto' && env.KAFKA_BROKERS ? env.KAFKA_BROKERS.split(',') : undefined
  if (external) {
    await means.reach(external).catch(error => {
      throw new Error(`KAFKA_BROKERS=${external.join(',')}: ${error.message}`)
    })
  }

  const reasons: string[] = []
  const ways = [
    { kind: 'docker', name: 'Docker', find: means.findDocker },
    { kind: 'local', name: 'Local process', find: means.findLocal },
  ].filter(way => wanted === 'auto' || wanted === way.kind)
  for (const way of ways) {
    const found = await way.find()
    if ('reason' in found) {
      reasons.push(`${way.name}: ${found.reason}`)
      continue
    }
    if (external)
      return { shared: { kind: 'external', bootstrap: external }, source: found.source, reasons, owner }
    try {
      const bootstrap = await means.start(found.source)
      return { shared: { kind: found.source.kind, bootstrap }, source: found.source, reasons, owner }
    } catch (error) {
      reasons.push(`${way.name}: the broker did not start: ${(error as Error).message}`)
    }
  }
  if (wanted !== 'auto') throw new Error(`KAFKA_TEST_BROKER=${wanted}: ${reasons.join('; ')}`)
  return { shared: external && { kind: 'external', bootstrap: external }, source: undefined, reasons, owner }
}

/** What the run prints before its first test. */
export function describeChoice({ shared, source, reasons }: KafkaForTests): string {
  const image = source?.kind === 'docker' ? ` (${source.image})` : source ? ` (Kafka ${source.version})` : ''
  const names = { external: 'KAFKA_BROKERS', docker: `Docker${image}`, local: `a local process${image}` }
  const lines = [
    `Real Kafka: ${shared ? `${names[shared.kind]} at ${shared.bootstrap.join(', ')}` : 'none, the embedded cluster only'}`,
    ...reasons.map(reason => `  not used: ${reason}`),
  ]
  if (!shared) lines.push('  not run: the tests that need a real Kafka; they are reported as skipped')
  else if (!source)
    lines.push('  not run: the tests that need a real Kafka of their own; they are reported as skipped')
  return lines.join('\n')
}
