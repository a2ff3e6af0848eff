import type { MetricsRegistry } from './options.js'

/**
 * Counter, gauge and histogram for a prom-client registry, whichever copy of prom-client it is of: a registry asks its metrics
 * for `get()`, and needs nothing else of prom-client's own classes. So `metrics: { registry }` loads no module, which a bundle, Jest
 * or a second installed copy might not find or find twice. The methods are those of prom-client's classes that this package
 * uses: a metric of prom-client's that another copy of this package registered can stand in their place.
 */
export type Labels = Readonly<Record<string, string>>

export type Aggregator = 'sum' | 'max'

export interface MetricConfiguration {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
  readonly registry: MetricsRegistry
  /** Default: `sum`. */
  readonly aggregator?: Aggregator | undefined
}

/** One line of a scrape, as a registry takes it. */
interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

interface Exposed {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly aggregator: string
  readonly values: readonly Sample[]
}

/** What all three have: their series by labels. A series is there from its first report on, one without labels from the start. */
abstract class Metric<Series> {
  abstract readonly type: 'counter' | 'gauge' | 'histogram'
  /** Changed by an OpenMetrics scrape, which strips `_total`. */
  name: string
  readonly help: string
  readonly labelNames: readonly string[]
  /** How prom-client's AggregatorRegistry joins the metrics of a cluster's workers. */
  readonly aggregator: Aggregator
  /** Another one as soon as a series that a child has at hand may not be the exposed one any more. */
  generation = 0
  readonly #series = new Map<string, { readonly labels: Labels; readonly series: Series }>()

  constructor({ name, help, labelNames, aggregator = 'sum' }: MetricConfiguration) {
    this.name = name
    this.help = help
    this.labelNames = labelNames
    this.aggregator = aggregator
  }

  protected abstract newSeries(): Series
  protected abstract samplesOf(labels: Labels, series: Series): readonly Sample[]
  /** Whatever has to be done before a scrape. */
  protected collect(): void {}

  protected keyOf(labels: Labels): string {
    for (const name of Object.keys(labels))
      if (!this.labelNames.includes(name)) throw new TypeError(`the metric ${this.name} has no label ${name}`)
    return JSON.stringify(this.labelNames.map(name => labels[name]))
  }

  /** @internal a child's */
  seriesOf(key: string, labels: Labels): Series {
    return this.#series.get(key)?.series ?? this.beginSeries(key, labels)
  }

  protected beginSeries(key: string, labels: Labels): Series {
    const series = this.newSeries()
    this.#series.set(key, { labels, series })
    return series
  }

  /** Called by the registry at each scrape. */
  async get(): Promise<Exposed> {
    this.collect()
    const { name, help, type, aggregator } = this
    const values = [...this.#series.values()].flatMap(({ labels, series }) => this.samplesOf(labels, series))
    return { name, help, type, aggregator, values }
  }

  /** Called by `registry.resetMetrics()`. The series stay, at 0: `increase()` sees what comes next, as after a restart. */
  reset(): void {
    for (const [key, { labels }] of this.#series) this.#series.set(key, { labels, series: this.newSeries() })
    this.generation++
    if (this.labelNames.length === 0) this.seriesOf(this.keyOf({}), {})
  }

  protected drop(): void {
    this.#series.clear()
    this.generation++
  }

  remove(labels: Labels): void {
    this.#series.delete(this.keyOf(labels))
    this.generation++
  }
}

/** One series of a metric, looked up once and not at each report. */
abstract class Child<Series> {
  readonly #metric: Metric<Series>
  readonly #key: string
  readonly #labels: Labels
  #found: Series | undefined
  #generation = -1

  constructor(metric: Metric<Series>, key: string, labels: Labels) {
    this.#metric = metric
    this.#key = key
    this.#labels = labels
  }

  protected get series(): Series {
    if (this.#generation === this.#metric.generation) return this.#found!
    this.#found = this.#metric.seriesOf(this.#key, this.#labels)
    this.#generation = this.#metric.generation
    return this.#found
  }
}

export interface CounterChild {
  /** @param value default: 1 */
  inc(value?: number): void
}

export interface Counter {
  labels(labels: Labels): CounterChild
  remove(labels: Labels): void
}

class OwnCounterChild extends Child<{ value: number }> implements CounterChild {
  inc(value = 1): void {
    this.series.value += value
  }
}

class OwnCounter extends Metric<{ value: number }> implements Counter {
  readonly type = 'counter'
  protected newSeries(): { value: number } {
    return { value: 0 }
  }

  protected samplesOf(labels: Labels, { value }: { value: number }): readonly Sample[] {
    return [{ labels, value }]
  }

  labels(labels: Labels): CounterChild {
    return new OwnCounterChild(this, this.keyOf(labels), labels)
  }
}

/** Read at each scrape: it has no state of its own. */
export interface Gauge {
  readonly type: 'gauge'
}

export interface GaugeLevel {
  readonly labels: Labels
  readonly value: number
}

class OwnGauge extends Metric<{ value: number }> implements Gauge {
  readonly type = 'gauge'
  readonly #read: () => readonly GaugeLevel[]
  protected newSeries(): { value: number } {
    return { value: 0 }
  }

  constructor(configuration: MetricConfiguration, read: () => readonly GaugeLevel[]) {
    super(configuration)
    this.#read = read
  }

  protected samplesOf(labels: Labels, { value }: { value: number }): readonly Sample[] {
    return [{ labels, value }]
  }

  protected override collect(): void {
    this.drop()
    if (this.labelNames.length === 0) this.seriesOf(this.keyOf({}), {})
    for (const { labels, value } of this.#read()) this.seriesOf(this.keyOf(labels), labels).value = value
  }
}

export interface HistogramChild {
  /** Makes the series stand at 0, if it has not begun. */
  begin?(): void
  observe(value: number): void
}

export interface Histogram {
  labels(labels: Labels): HistogramChild
  /** Makes a series stand at 0 from now on. */
  zero(labels: Labels): void
  remove(labels: Labels): void
}

interface Observations {
  /** Those of each bucket alone, by the bucket's place; above the last bound in none. */
  readonly buckets: number[]
  sum: number
  count: number
}

class OwnHistogramChild extends Child<Observations> implements HistogramChild {
  readonly #bounds: readonly number[]

  constructor(metric: OwnHistogram, key: string, labels: Labels) {
    super(metric, key, labels)
    this.#bounds = metric.upperBounds
  }

  begin(): void {
    void this.series
  }

  observe(value: number): void {
    const { series } = this
    series.sum += value
    series.count++
    const { length } = this.#bounds
    for (let i = 0; i < length; i++) {
      if (value <= this.#bounds[i]!) {
        series.buckets[i]!++
        return
      }
    }
  }
}

class OwnHistogram extends Metric<Observations> implements Histogram {
  readonly type = 'histogram'
  readonly upperBounds: readonly number[]
  protected newSeries(): Observations {
    return { buckets: this.upperBounds.map(() => 0), sum: 0, count: 0 }
  }

  constructor(configuration: MetricConfiguration, buckets: readonly number[]) {
    super(configuration)
    this.upperBounds = buckets
  }

  protected samplesOf(labels: Labels, { buckets, sum, count }: Observations): readonly Sample[] {
    let below = 0
    const bucket = (le: number | string, value: number): Sample => ({
      labels: { le, ...labels },
      value,
      metricName: `${this.name}_bucket`,
    })
    return [
      ...this.upperBounds.map((bound, index) => bucket(bound, (below += buckets[index]!))),
      bucket('+Inf', count),
      { labels, value: sum, metricName: `${this.name}_sum` },
      { labels, value: count, metricName: `${this.name}_count` },
    ]
  }

  zero(labels: Labels): void {
    this.beginSeries(this.keyOf(labels), labels)
    this.generation++
  }

  labels(labels: Labels): HistogramChild {
    return new OwnHistogramChild(this, this.keyOf(labels), labels)
  }
}

const registered = <M extends Metric<unknown>>(metric: M, registry: MetricsRegistry): M => {
  metric.reset()
  registry.registerMetric(metric as never)
  return metric
}

export const createCounter = (configuration: MetricConfiguration): Counter =>
  registered(new OwnCounter(configuration), configuration.registry)

/** @param read called at each scrape */
export const createGauge = (configuration: MetricConfiguration, read: () => readonly GaugeLevel[]): Gauge =>
  registered(new OwnGauge(configuration, read), configuration.registry)

/** @param buckets upper bounds, the lowest first; `+Inf` is added */
export const createHistogram = (configuration: MetricConfiguration, buckets: readonly number[]): Histogram =>
  registered(new OwnHistogram(configuration, buckets), configuration.registry)
