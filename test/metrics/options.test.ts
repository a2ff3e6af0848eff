import { createRequire } from 'node:module'
import prom from 'prom-client'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { InvalidOptionsError } from '../../src/errors/index.js'
import { DEFAULT_TOPIC_METRICS, TOPIC_METRICS } from '../../src/metrics/definitions.js'
import {
  type MetricsOptions,
  type MetricsRegistry,
  resolveMetricsOptions,
} from '../../src/metrics/options.js'
import { globalRegistry } from '../../src/metrics/prometheus/promClient.js'

describe('the options of metrics', () => {
  it('have defaults', () => {
    expect(resolveMetricsOptions({})).toEqual({
      registry: undefined,
      prefix: 'kafka_resilient_producer_',
      topicLabel: 'off',
      maxTopics: 100,
      topicMetrics: DEFAULT_TOPIC_METRICS,
      clientId: undefined,
    })
  })

  it('take all metrics that can carry the label topic', () => {
    expect(resolveMetricsOptions({ topicMetrics: 'all' }).topicMetrics).toEqual(TOPIC_METRICS)
    expect(() => resolveMetricsOptions({ topicMetrics: 'some' as never })).toThrow(
      /must be 'all' or an array/,
    )
  })

  it('take a registry of either content type', () => {
    expectTypeOf<prom.Registry>().toExtend<MetricsRegistry>()
    expectTypeOf<prom.Registry<prom.OpenMetricsContentType>>().toExtend<MetricsRegistry>()
    expect(resolveMetricsOptions({ registry: prom.register }).registry).toBe(prom.register)
  })

  it('that cannot work are all named in one error', () => {
    const wrong = {
      registry: {},
      prefix: '9 lives\n',
      topicLabel: 'some',
      maxTopics: 0,
    } as unknown as MetricsOptions
    try {
      resolveMetricsOptions(wrong)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidOptionsError)
      expect((error as InvalidOptionsError).problems).toEqual([
        'metrics.registry must be a prom-client Registry',
        'metrics.prefix must begin a metric name (letters, digits, "_" and ":"), not "9 lives\\n"',
        `metrics.topicLabel must be 'off', 'all' or an array of topic names, not "some"`,
        'metrics.maxTopics must be a whole number from 1 on, not 0',
      ])
    }
  })

  it.each([[{ topicLabel: [1] }], [{ maxTopics: 1.5 }], [{ maxTopics: Number.NaN }], [{ prefix: '' }]])(
    '%j is refused',
    options => {
      expect(() => resolveMetricsOptions(options as unknown as MetricsOptions)).toThrow(InvalidOptionsError)
    },
  )
})

describe('prom-client', () => {
  it('is asked for by name where it is not installed', () => {
    const { resolve } = createRequire(import.meta.url)
    // Node's own error for a module that stands in no folder, whatever folders this machine has.
    const load = (id: string) => resolve(id, { paths: [] })
    expect(() => globalRegistry(load)).toThrow(InvalidOptionsError)
    expect(() => globalRegistry(load)).toThrow(
      /prom-client is not installed, or not to be found from a bundle: give metrics.registry/,
    )
  })

  it('that is installed and broken fails with its own error', () => {
    const broken = Object.assign(new Error("Cannot find module 'tdigest'"), { code: 'MODULE_NOT_FOUND' })
    expect(() =>
      globalRegistry(() => {
        throw broken
      }),
    ).toThrow(broken)
  })
})
