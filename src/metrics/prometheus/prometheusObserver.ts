import { PACKAGE_VERSION } from '../../util/packageVersion.js'
import { WAIT_KINDS } from '../../waits/wait.js'
import type { MetricKey } from '../definitions.js'
import type { Labels } from '../metricClasses.js'
import type {
  MetadataOutcome,
  MetadataTrigger,
  ProducerLevels,
  ProducerObserver,
  TransactionOutcome,
} from '../observer.js'
import { type MetricsOptions, resolveMetricsOptions } from '../options.js'
import { BrokerMetrics } from './brokerMetrics.js'
import { CreatedTopics } from './createdTopics.js'
import { globalRegistry } from './promClient.js'
import { addLevel, type Level, type MetricSet, obtainMetrics, restore } from './registration.js'
import { topicTableOf } from './topicTable.js'

const TRIGGERS: readonly MetadataTrigger[] = ['connect', 'topic', 'leader', 'age']
const OUTCOMES: readonly MetadataOutcome[] = ['ok', 'partial', 'failed']
const ENDS: readonly TransactionOutcome[] = ['committed', 'aborted', 'failed']

const seconds = (ms: number): number => ms / 1000

type GaugeKey = {
  [K in MetricKey]: MetricSet[K] extends { readonly type: 'gauge' } ? K : never
}[MetricKey]

/**
 * An observer that reports to prom-client. Producers that share a registry and a prefix share the metrics: counters and
 * histograms add up, gauges are joined over the producers that are running. All series whose labels are known beforehand
 * stand at 0 from the start.
 *
 * @throws {InvalidOptionsError} when an option cannot work, prom-client is not found where no registry is given, or a metric of one of the
 * names is registered already by something else
 */
export const createPrometheusObserver = (options: MetricsOptions = {}): ProducerObserver => {
  const resolved = resolveMetricsOptions(options)
  const { prefix, topicLabel, maxTopics, clientId } = resolved
  const registry = resolved.registry ?? globalRegistry()
  const topicMetrics = new Set(topicLabel === 'off' ? [] : resolved.topicMetrics)
  const metrics = obtainMetrics(registry, prefix, { topicMetrics, hasClientId: clientId !== undefined })
  const base: Labels = clientId === undefined ? {} : { client_id: clientId }
  const topics = topicTableOf(metrics, topicLabel, maxTopics, { base, topicMetrics })
  const brokers = new BrokerMetrics(metrics, base)
  const created = CreatedTopics.of(metrics.topicsCreated)

  const zeroed = (
    labels: Labels,
    key: 'metadataRefreshes' | 'producerIds' | 'epochBumps' | 'transactionsBegun' | 'transactionsEnded',
  ) => {
    const child = metrics[key].labels({ ...base, ...labels })
    child.inc(0)
    return child
  }
  const begun = (
    labels: Labels,
    key: 'metadataRefreshSeconds' | 'bufferWaitSeconds' | 'transactionSeconds',
  ) => {
    const child = metrics[key].labels({ ...base, ...labels })
    child.begin?.()
    return child
  }
  const refreshes = new Map(
    TRIGGERS.map(trigger => [
      trigger,
      new Map(OUTCOMES.map(outcome => [outcome, zeroed({ trigger, outcome }, 'metadataRefreshes')])),
    ]),
  )
  const refreshSeconds = begun({}, 'metadataRefreshSeconds')
  const bufferWaitSeconds = begun({}, 'bufferWaitSeconds')
  const producerIds = zeroed({}, 'producerIds')
  const epochBumps = zeroed({}, 'epochBumps')
  const transactionsBegun = zeroed({}, 'transactionsBegun')
  const transactionsEnded = new Map(ENDS.map(outcome => [outcome, zeroed({ outcome }, 'transactionsEnded')]))
  const transactionSeconds = new Map(ENDS.map(outcome => [outcome, begun({ outcome }, 'transactionSeconds')]))

  const probe = `${prefix}buffered_records`
  /** A registry that was cleared gets its metrics back from the first producer that has something to report. */
  const stayRegistered = (): void => {
    if (registry.getSingleMetric(probe) === undefined) restore(registry, prefix, metrics)
  }

  return {
    recordsSent(topic, records) {
      stayRegistered()
      topics.existing(topic).sent.inc(records)
    },
    recordsAborted: (topic, records) => topics.existing(topic).aborted.inc(records),
    recordsFailed(topic, records, error) {
      stayRegistered()
      topics.wanted(topic).failed.add(error, records)
    },
    recordsRetried: (topic, records, reason) => topics.existing(topic).retried.add(reason, records),
    batchSplit: topic => topics.existing(topic).split.inc(),
    metadataRefreshed(trigger, outcome, elapsedMs) {
      stayRegistered()
      refreshes.get(trigger)?.get(outcome)?.inc()
      refreshSeconds.observe(seconds(elapsedMs))
    },
    metadataRetried: (topic, error) => topics.wanted(topic).metadataRetried.add(error, 1),
    topicWaited(topic, outcome, elapsedMs) {
      const its = outcome === 'available' ? topics.existing(topic) : topics.wanted(topic)
      its.waited[outcome].observe(seconds(elapsedMs))
    },
    topicCreated(topic, by, topicId) {
      // An admin's request is answered to one producer alone; what a broker creates, all see that wait.
      if (by === 'admin' || created.add(topic, topicId)) topics.existing(topic).created[by].inc()
    },
    bufferWaited: elapsedMs => bufferWaitSeconds.observe(seconds(elapsedMs)),
    batchSent(topic, records, bytes, uncompressedBytes, queuedMs) {
      const its = topics.existing(topic)
      its.batchRecords.observe(records)
      its.batchBytes.observe(bytes)
      if (bytes > 0) its.compressionRatio.observe(uncompressedBytes / bytes)
      its.queueSeconds.observe(seconds(queuedMs))
    },
    requestEnded: (broker, elapsedMs) => brokers.of(broker).requestSeconds.observe(seconds(elapsedMs)),
    requestLost: broker => brokers.of(broker).lost.inc(),
    throttled: (broker, forMs) => brokers.of(broker).throttleSeconds.inc(seconds(forMs)),
    connectEnded: (broker, outcome) => brokers.of(broker).connects[outcome].inc(),
    producerIdObtained: () => producerIds.inc(),
    epochBumped: () => epochBumps.inc(),
    transactionBegun: () => transactionsBegun.inc(),
    transactionEnded(outcome, elapsedMs) {
      transactionsEnded.get(outcome)?.inc()
      transactionSeconds.get(outcome)?.observe(seconds(elapsedMs))
    },
    batchDelivered: (topic, _records, elapsedMs) =>
      topics.existing(topic).deliverySeconds.observe(seconds(elapsedMs)),
    watchLevels(levels) {
      const stops: (() => void)[] = []
      const watch = (key: GaugeKey, read: (now: ProducerLevels) => readonly Level[]): void => {
        stops.push(addLevel(metrics[key], () => read(levels())))
      }
      const one = (value: number): readonly Level[] => [{ labels: base, value }]
      watch('bufferedRecords', now => one(now.bufferedRecords))
      watch('bufferedBytes', now => one(now.bufferedBytes))
      watch('bufferLimitBytes', now => one(now.bufferLimitBytes))
      watch('topicsWaiting', now => one(now.topicsWaiting))
      watch('requestsInFlight', now => one(now.requestsInFlight))
      watch('oldestRecordSeconds', now => one(seconds(now.oldestRecordMs)))
      watch('partitionsWithoutLeader', now => one(now.partitionsWithoutLeader))
      watch('metadataAgeSeconds', now => one(seconds(now.metadataAgeMs)))
      watch('recordsWaiting', now =>
        WAIT_KINDS.map(kind => ({
          labels: { ...base, for: kind },
          value: now.recordsWaiting.get(kind) ?? 0,
        })),
      )
      watch('connections', now =>
        [...now.connections].map(([broker, value]) => {
          // Its counters stand at 0 before it has anything to count.
          brokers.of(broker)
          return { labels: { ...base, broker: brokers.labelOf(broker) }, value }
        }),
      )
      watch('buildInfo', () => [
        { labels: { ...base, version: PACKAGE_VERSION, node: process.version }, value: 1 },
      ])
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
