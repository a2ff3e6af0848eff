import { describe, expect, it } from 'vitest'
import { parseExposition } from '../../../src/cli/scrapes/exposition.js'
import { changeBetween, Figures, hasRestarted } from '../../../src/cli/scrapes/figures.js'
import { quantileOf } from '../../../src/cli/scrapes/quantile.js'
import { NoProducerError, snapshotOf } from '../../../src/cli/scrapes/snapshot.js'
import { metered } from '../support/metrics.js'

const P = 'kafka_resilient_producer_'
const SIGNS = (prefix = P) => `${prefix}producer_ids_total 0\n${prefix}transactions_begun_total 0\n`
const snapshot = (text: string, atMs = 0, prefix?: string) =>
  snapshotOf(parseExposition(text, 'text'), atMs, prefix)
const counts = (value: number, more = '') => `${SIGNS()}${P}records_sent_total{topic="a"} ${value}\n${more}`

describe('a snapshot', () => {
  it('finds producers by any prefix, leaves other metrics out, and keeps labels of the service', () => {
    const text = `${SIGNS('shop_')}shop_connections{broker="1",app="x"} 2\ndb_connections 9\nprocess_start_time_seconds 5\n`
    const found = snapshot(text)
    expect([...found.series.values()].map(({ metric, value }) => [metric, value])).toEqual([
      ['producer_ids_total', 0],
      ['transactions_begun_total', 0],
      ['connections', 2],
    ])
    expect(found.processStart).toBe(5)
    expect(snapshot(text, 0, 'shop_').series).toEqual(found.series)
  })

  it('takes several prefixes together, or the one that is named', () => {
    const text = SIGNS('a_') + SIGNS('b_')
    expect(snapshot(text).series.size).toBe(4)
    expect(snapshot(text, 0, 'b_').series.size).toBe(2)
  })

  it('says what to do where there is no producer', () => {
    expect(() => snapshot('up 1\n')).toThrow(NoProducerError)
    expect(() => snapshot('up 1\n')).toThrow(/metrics: \{ registry \}/)
    expect(() => snapshot(SIGNS('shop_'), 0, 'x_')).toThrow('leave --prefix out, or give shop_')
    // The end of a name alone makes no producer.
    expect(() => snapshot('x_producer_ids_total 1\ny_transactions_begun_total 1\n')).toThrow(NoProducerError)
  })

  it('has a bounded number of series', () => {
    const text = Array.from({ length: 200_001 }, (_, at) => `${P}connections{broker="${at}"} 1\n`).join('')
    expect(() => snapshot(SIGNS() + text)).toThrow(/more than 200000 series/)
  })

  it('knows every metric there is', async () => {
    const { registry, observer } = metered()
    observer.recordsSent('a', 1)
    observer.connectEnded(1, 'ok')
    const text = await registry.metrics()
    const names = new Set([...text.matchAll(/^([a-z_]+)[{ ]/gm)].map(([, name]) => name))
    expect(names.size).toBeGreaterThan(50)
    expect(new Set([...snapshot(text).series.keys()].map(each => each.split('\u0000')[0]))).toEqual(names)
  })
})

describe('the change from scrape to scrape', () => {
  const change = (before: string, now: string) =>
    new Figures(changeBetween(snapshot(before), snapshot(now, 2_000)))

  it('is a rate per second, of a series that is new from 0', () => {
    const figures = change(counts(10), counts(30, `${P}records_sent_total{topic="b"} 8\n`))
    expect(figures.rates('recordsSent', 'topic')).toEqual(
      new Map([
        ['a', 10],
        ['b', 4],
      ]),
    )
    expect(figures.rate('recordsSent')).toBe(14)
    expect(figures.total('recordsSent')).toBe(38)
  })

  it('counts from 0 after a restart, and says that there was one', () => {
    expect(change(counts(100), counts(6)).rate('recordsSent')).toBe(3)
    expect(hasRestarted(snapshot(counts(100)), snapshot(counts(6)))).toBe(true)
    expect(hasRestarted(snapshot(counts(6)), snapshot(counts(100)))).toBe(false)
  })

  it('takes a gauge that falls for no restart', () => {
    const [more, less] = [5, 1].map(value => counts(1, `${P}records_waiting{for="topic"} ${value}\n`))
    expect(hasRestarted(snapshot(more!), snapshot(less!))).toBe(false)
    expect(change(more!, less!).levels('recordsWaiting', 'for')).toEqual(new Map([['topic', 1]]))
  })

  it('is not known after one scrape', () => {
    const figures = new Figures(changeBetween(undefined, snapshot(counts(5))))
    expect(figures.rate('recordsSent')).toBeUndefined()
    expect(figures.total('recordsSent')).toBe(5)
    expect(figures.level('topicsWaiting')).toBeUndefined()
  })

  it('joins services: sums, and the oldest of all', () => {
    const service = (oldest: number, limit: number) =>
      changeBetween(
        undefined,
        snapshot(`${SIGNS()}${P}oldest_record_seconds ${oldest}\n${P}buffer_limit_bytes ${limit}\n`),
      )
    const figures = new Figures([...service(3, 10), ...service(7, 10)])
    expect(figures.level('oldestRecordSeconds')).toBe(7)
    expect(figures.level('bufferLimitBytes')).toBe(20)
  })
})

describe('quantiles', () => {
  const BUCKETS = [
    [1, 10],
    [2, 30],
    [4, 40],
    [Infinity, 40],
  ] as const

  // As histogram_quantile() of Prometheus answers.
  it.each([
    [0.25, 1],
    [0.5, 1.5],
    [0.75, 2],
    [1, 4],
  ])('of %d', (quantile, value) => expect(quantileOf(BUCKETS, quantile)).toBe(value))

  it('are not known where nothing was observed, nor without a last bucket', () => {
    expect(quantileOf([], 0.5)).toBeUndefined()
    expect(
      quantileOf(
        [
          [1, 0],
          [Infinity, 0],
        ],
        0.5,
      ),
    ).toBeUndefined()
    expect(quantileOf([[1, 5]], 0.5)).toBeUndefined()
    expect(
      quantileOf(
        [
          [1, Number.NaN],
          [Infinity, Number.NaN],
        ],
        0.5,
      ),
    ).toBeUndefined()
  })

  it('beyond the last bound are infinite', () => {
    expect(
      quantileOf(
        [
          [1, 1],
          [Infinity, 10],
        ],
        0.99,
      ),
    ).toBe(Infinity)
  })

  it('come of the observations since the scrape before, however the bounds are written', () => {
    const scrape = (low: number, all: number) =>
      counts(
        0,
        `${P}delivery_seconds_bucket{le="1.0"} ${low}\n${P}delivery_seconds_bucket{le="2"} ${all}\n${P}delivery_seconds_bucket{le="+Inf"} ${all}\n`,
      )
    const figures = new Figures(changeBetween(snapshot(scrape(50, 50)), snapshot(scrape(50, 60), 1000)))
    expect(figures.quantiles('deliverySeconds', [0.5])).toEqual([1.5])
  })
})
