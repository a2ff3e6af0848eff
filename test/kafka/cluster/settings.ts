import type { ClusterOptions } from './types.js'

/**
 * The broker settings that clusters of every kind share, before the addresses.
 *
 * A killed broker comes back within about 3 s: with the default session time-out the controller takes it for alive for 9 s more.
 */
export function brokerSettings({ brokers = 1, config = {} }: ClusterOptions): Record<string, string> {
  const replicas = String(Math.min(brokers, 3))
  return {
    'auto.create.topics.enable': 'true',
    // The default from Kafka 1.0 on.
    'delete.topic.enable': 'true',
    'broker.session.timeout.ms': '1000',
    'broker.heartbeat.interval.ms': '250',
    'default.replication.factor': replicas,
    'min.insync.replicas': brokers >= 3 ? '2' : '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': brokers >= 3 ? '2' : '1',
    'group.initial.rebalance.delay.ms': '0',
    ...config,
  }
}

/** Java's options for a tuning, heap first. */
export function jvmOptions(tuning: ClusterOptions['tuning'] = 'quick-start'): {
  heap: string[]
  performance: string[]
} {
  return tuning === 'throughput'
    ? { heap: ['-Xms1g', '-Xmx1g'], performance: ['-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'] }
    : { heap: ['-Xms128m', '-Xmx512m'], performance: ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'] }
}

export const toProperties = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([key, value]) => `${key}=${value.replaceAll('\\', '\\\\').replaceAll('\n', '\\\n')}\n`)
    .join('')

/** `auto.create.topics.enable` becomes KAFKA_AUTO_CREATE_TOPICS_ENABLE, as the Confluent images read it. */
export const toEnvironment = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [
      `KAFKA_${key.replaceAll('_', '__').replaceAll('.', '_').replaceAll('-', '___').toUpperCase()}`,
      value,
    ]),
  )
