import fc from 'fast-check'
import prom, { AggregatorRegistry, Counter, Gauge, Histogram, Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import {
  createCounter,
  createGauge,
  createHistogram,
  type Counter as OwnCounter,
  type Histogram as OwnHistogram,
} from '../../src/metrics/metricClasses.js'

const help = 'what it counts'
const buckets = [0.1, 1, 10]
const KINDS = { text: Registry.PROMETHEUS_CONTENT_TYPE, open: Registry.OPENMETRICS_CONTENT_TYPE } as const

interface Metrics {
  readonly plain: OwnCounter
  readonly labelled: OwnCounter
  readonly plainHistogram: OwnHistogram
  readonly histogram: OwnHistogram
}

/** The same metrics on a registry, by prom-client's classes and by the package's own. */
const byPromClient = (registry: Registry, level: () => number): Metrics => {
  const registers = [registry]
  new Gauge({
    name: 'level',
    help,
    registers,
    collect() {
      this.set(level())
    },
  })
  return {
    plain: new Counter({ name: 'plain_total', help, registers }),
    labelled: new Counter({ name: 'labelled_total', help, labelNames: ['topic', 'error'], registers }),
    plainHistogram: new Histogram({ name: 'plain_seconds', help, buckets: [...buckets], registers }),
    histogram: new Histogram({
      name: 'seconds',
      help,
      labelNames: ['outcome'],
      buckets: [...buckets],
      registers,
    }),
  }
}
const byThisPackage = (registry: Registry, level: () => number): Metrics => {
  createGauge({ name: 'level', help, labelNames: [], registry }, () => [{ labels: {}, value: level() }])
  return {
    plain: createCounter({ name: 'plain_total', help, labelNames: [], registry }),
    labelled: createCounter({ name: 'labelled_total', help, labelNames: ['topic', 'error'], registry }),
    plainHistogram: createHistogram({ name: 'plain_seconds', help, labelNames: [], registry }, buckets),
    histogram: createHistogram({ name: 'seconds', help, labelNames: ['outcome'], registry }, buckets),
  }
}

const text = fc.constantFrom('a', 'b "quoted"', 'c\nd')
const value = fc.double({ min: 0, max: 20, noNaN: true })
type Step = (metrics: Metrics, registry: Registry) => void
const steps: fc.Arbitrary<Step> = fc.oneof(
  value.map(
    by =>
      ({ plain }: Metrics) =>
        plain.labels({}).inc(by),
  ),
  fc.tuple(text, text, value).map(
    ([topic, error, by]) =>
      ({ labelled }: Metrics) =>
        labelled.labels({ topic, error }).inc(by),
  ),
  fc.constant(({ labelled }: Metrics) => labelled.labels({ topic: 'zero', error: 'none' }).inc(0)),
  fc.constant(({ plain }: Metrics) => plain.labels({}).inc()),
  value.map(
    seen =>
      ({ plainHistogram }: Metrics) =>
        plainHistogram.labels({}).observe(seen),
  ),
  fc.tuple(text, value).map(
    ([outcome, seen]) =>
      ({ histogram }: Metrics) =>
        histogram.labels({ outcome }).observe(seen),
  ),
  text.map(
    outcome =>
      ({ histogram }: Metrics) =>
        histogram.zero({ outcome }),
  ),
  text.map(
    outcome =>
      ({ histogram }: Metrics) =>
        histogram.remove({ outcome }),
  ),
  text.map(
    topic =>
      ({ labelled }: Metrics) =>
        labelled.remove({ topic, error: 'a' }),
  ),
  fc.constant((_: Metrics, registry: Registry) => registry.setDefaultLabels({ service: 's' })),
)

/** A scrape with each line's labels in one order: theirs says nothing. */
const ordered = (exposition: string): string =>
  exposition.replace(
    /\{(.*)\}/g,
    (_, labels: string) => `{${[...labels.matchAll(/\w+="(?:[^"\\]|\\.)*"/g)].sort()}}`,
  )

const scraped = async (kind: keyof typeof KINDS, taken: readonly Step[], make: typeof byThisPackage) => {
  const registry = new Registry()
  registry.setContentType(KINDS[kind] as never)
  let level = 0
  const metrics = make(registry, () => ++level)
  for (const step of taken) step(metrics, registry)
  const json = await registry.getMetricsAsJSON()
  return {
    // Series come in the order of their first report in both.
    text: ordered(await registry.metrics()),
    again: ordered(await registry.metrics()),
    // Exemplars are used by neither; prom-client says so with null.
    json: JSON.parse(JSON.stringify(json, (key, field) => (key === 'exemplar' ? undefined : field))),
    workers: ordered(await AggregatorRegistry.aggregate([json, json] as never).metrics()),
  }
}

describe('the package’s own metrics on a registry of prom-client', () => {
  test.each(['text', 'open'] as const)('are exposed as prom-client’s own are: %s', async kind => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 30 }), async taken => {
        expect(await scraped(kind, taken, byThisPackage)).toEqual(await scraped(kind, taken, byPromClient))
      }),
      { numRuns: 100 },
    )
  })

  test('begin anew after resetMetrics, where children that were made before report on', async () => {
    const texts = []
    for (const make of [byThisPackage, byPromClient]) {
      const registry = new Registry()
      const { plain, labelled } = make(registry, () => 1)
      const child = labelled.labels({ topic: 't', error: 'e' })
      child.inc(5)
      plain.labels({}).inc(7)
      registry.resetMetrics()
      child.inc(2)
      texts.push((await registry.metrics()).split('\n').filter(line => /^(plain|labelled)_total/.test(line)))
    }
    expect(texts[0]).toEqual(['plain_total 0', 'labelled_total{topic="t",error="e"} 2'])
    expect(texts[0]).toEqual(texts[1])
  })

  test('refuse a label that they do not have, and a name that is taken', () => {
    const registry = new Registry()
    const counter = createCounter({ name: 'n', help, labelNames: ['topic'], registry })
    expect(() => counter.labels({ tpoic: 't' })).toThrow('the metric n has no label tpoic')
    expect(() => createCounter({ name: 'n', help, labelNames: [], registry })).toThrow(
      /already been registered/,
    )
    expect(prom.register.getSingleMetric('n')).toBeUndefined()
  })
})
