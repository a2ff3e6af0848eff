import type { MetadataOutcome, MetadataTrigger, ProducerObserver } from './observer.js'
import { type MetricsOptions, resolveMetricsOptions } from './options.js'
import { globalRegistry } from './promClient.js'
import { addLevel, obtainMetrics } from './registration.js'
import { topicMetricsLookup } from './topicMetrics.js'

const TRIGGERS: readonly MetadataTrigger[] = ['connect', 'topic', 'leader', 'age']
const OUTCOMES: readonly MetadataOutcome[] = ['ok', 'partial', 'failed']

const seconds = (ms: number): number => ms / 1000

/**
 * An observer that reports to prom-client. Producers that share a registry and a prefix share the metrics: counters and
 * histograms add up, gauges are the sum over the producers that are running.
 *
 * @throws {InvalidOptionsError} when an option cannot work, prom-client is not found where no registry is given, or a metric of one of the
 * names is registered already by something else
 */
export const createPrometheusObserver = (options: MetricsOptions = {}): ProducerObserver => {
  const { registry, prefix, topicLabel, maxTopics } = resolveMetricsOptions(options)
  const metrics = obtainMetrics(registry ?? globalRegistry(), prefix, topicLabel !== 'off')
  const ofTopic = topicMetricsLookup(metrics, topicLabel, maxTopics)

  const refreshes = new Map(
    TRIGGERS.map(trigger => [
      trigger,
      new Map(OUTCOMES.map(outcome => [outcome, metrics.metadataRefreshes.labels({ trigger, outcome })])),
    ]),
  )
  // A series that begins at 0 lets a rate see its first increase.
  for (const byOutcome of refreshes.values()) for (const child of byOutcome.values()) child.inc(0)

  const refreshSeconds = metrics.metadataRefreshSeconds.labels({})
  const bufferWaitSeconds = metrics.bufferWaitSeconds.labels({})
  const requestSeconds = metrics.requestSeconds.labels({})

  return {
    recordsSent: (topic, records) => ofTopic(topic).sent.inc(records),
    recordsFailed: (topic, records, error) => ofTopic(topic).failed.add(error, records),
    recordsRetried: (topic, records, reason) => ofTopic(topic).retried.add(reason, records),
    metadataRefreshed(trigger, outcome, elapsedMs) {
      refreshes.get(trigger)?.get(outcome)?.inc()
      refreshSeconds.observe(seconds(elapsedMs))
    },
    metadataRetried: (topic, error) => ofTopic(topic).metadataRetried.add(error, 1),
    topicWaited: (topic, outcome, elapsedMs) => ofTopic(topic).waited[outcome].observe(seconds(elapsedMs)),
    topicCreated: (topic, by) => ofTopic(topic).created[by].inc(),
    bufferWaited: elapsedMs => bufferWaitSeconds.observe(seconds(elapsedMs)),
    batchSent(topic, records, bytes, uncompressedBytes, queuedMs) {
      const its = ofTopic(topic)
      its.batchRecords.observe(records)
      its.batchBytes.observe(bytes)
      if (bytes > 0) its.compressionRatio.observe(uncompressedBytes / bytes)
      its.queueSeconds.observe(seconds(queuedMs))
    },
    requestEnded: elapsedMs => requestSeconds.observe(seconds(elapsedMs)),
    batchDelivered: (topic, _records, elapsedMs) =>
      ofTopic(topic).deliverySeconds.observe(seconds(elapsedMs)),
    watchLevels(levels) {
      const stops = [
        addLevel(metrics.bufferedRecords, () => levels().bufferedRecords),
        addLevel(metrics.bufferedBytes, () => levels().bufferedBytes),
        addLevel(metrics.topicsWaiting, () => levels().topicsWaiting),
        addLevel(metrics.requestsInFlight, () => levels().requestsInFlight),
      ]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}
