import type { CounterChild, HistogramChild, Labels } from '../metricClasses.js'
import type { ConnectOutcome } from '../observer.js'
import { LabelValues } from './labelValues.js'
import type { MetricSet } from './registration.js'

/** A broker's id is its own word: more brokers than a cluster has are counted together. */
const MAX_BROKERS = 200

interface OfBroker {
  readonly requestSeconds: HistogramChild
  readonly lost: CounterChild
  readonly throttleSeconds: CounterChild
  readonly connects: Readonly<Record<ConnectOutcome, CounterChild>>
}

const shownBrokers = new WeakMap<object, Set<string>>()

/** What is counted per broker. All of a broker's series begin at 0 when it is first heard of. */
export class BrokerMetrics {
  private readonly metrics: MetricSet
  private readonly base: Labels
  private readonly values: LabelValues
  private readonly byBroker = new Map<number, OfBroker>()

  constructor(metrics: MetricSet, base: Labels) {
    this.metrics = metrics
    this.base = base
    const shown = shownBrokers.get(metrics.connects) ?? new Set<string>()
    shownBrokers.set(metrics.connects, shown)
    this.values = new LabelValues(MAX_BROKERS, undefined, shown)
  }

  labelOf(broker: number): string {
    return this.values.of(String(broker))
  }

  of(broker: number): OfBroker {
    const known = this.byBroker.get(broker)
    if (known !== undefined) return known
    const labels = { ...this.base, broker: this.labelOf(broker) }
    const counter = (
      key: 'requestsLost' | 'throttleSeconds' | 'connects',
      its: Labels = {},
    ): CounterChild => {
      const child = this.metrics[key].labels({ ...labels, ...its })
      child.inc(0)
      return child
    }
    const requestSeconds = this.metrics.requestSeconds.labels(labels)
    requestSeconds.begin?.()
    const found: OfBroker = {
      requestSeconds,
      lost: counter('requestsLost'),
      throttleSeconds: counter('throttleSeconds'),
      connects: {
        ok: counter('connects', { outcome: 'ok' }),
        failed: counter('connects', { outcome: 'failed' }),
        authentication_failed: counter('connects', { outcome: 'authentication_failed' }),
      },
    }
    if (this.byBroker.size < MAX_BROKERS) this.byBroker.set(broker, found)
    return found
  }
}
