import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { changed, EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { dashboard, ROWS } from '../../ops/dashboard.js'
import { panelPages, pictureOf } from '../../ops/page.js'
import { DEFINITIONS } from '../../src/metrics/definitions.js'
import { expectFile, expectSection } from '../docs/generated.js'
import { exporterOf, hasPrometheus, Prometheus } from './prometheus.js'
import { fasterRules, readAlerts } from './rules.js'

const file = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const alerts = readAlerts()

if (!hasPrometheus) console.log('No prometheus is installed (Debian: prometheus): its tests are skipped.')

describe('the alert rules', () => {
  test('each have a section in the runbook', () => {
    const sections = readFileSync(file('docs/runbook.md'), 'utf8')
      .match(/^## .+$/gm)!
      .map(heading => heading.slice(3).toLowerCase().replaceAll(' ', '-'))
    expect(alerts.map(({ section }) => section)).toEqual(sections)
    for (const { name } of alerts)
      expect(readFileSync(file('docs/runbook.md'), 'utf8')).toContain(`\`${name}\``)
  })

  test('and the dashboard name metrics that there are', () => {
    const known = Object.values(DEFINITIONS).map(({ name }) => name)
    const exprs = [
      ...alerts.map(({ expr }) => expr),
      ...ROWS.flatMap(({ panels }) => panels.map(({ expr }) => expr)),
    ]
    const named = exprs.flatMap(expr =>
      [...expr.matchAll(/kafka_resilient_producer_(\w+)/g)].map(([, name]) => name!),
    )
    expect(named.length).toBeGreaterThan(40)
    expect(
      named.filter(
        name => !known.includes(name.replace(/_(bucket|sum|count)$/, '')) && !known.includes(name),
      ),
    ).toEqual([])
  })

  test('each have a test, and none is tested that there is not', () => {
    const tested = readFileSync(file('ops/alerts.test.yml'), 'utf8').match(/(?<=alertname: )\w+/g)!
    expect([...new Set(tested)].sort()).toEqual(alerts.map(({ name }) => name).sort())
  })

  test.runIf(hasPrometheus)('are accepted by promtool, and fire in their cases alone', () => {
    execFileSync('promtool', ['check', 'rules', file('ops/alerts.yml')])
    execFileSync('promtool', ['test', 'rules', file('ops/alerts.test.yml')])
  })
})

test('the dashboard is that of its code', () => {
  const json = `${JSON.stringify(dashboard(), null, 2)}\n`
  expectFile('ops/dashboard.json', json)
})

describe('the page of the dashboard', () => {
  const page = (path: string): string => readFileSync(file(`docs/${path}`), 'utf8')
  const panels = ROWS.flatMap(row => row.panels)

  test('is that of its code', () => expectSection('docs/dashboard.md', 'panels', panelPages()))

  test('has a picture of every panel, and no other', () => {
    for (const panel of panels) expect(page(pictureOf(panel))).toContain(`aria-label="${panel.title}"`)
    expect(readdirSync(file('docs/dashboard')).sort()).toEqual(
      panels.map(panel => basename(pictureOf(panel))).sort(),
    )
  })

  test('leads to every section of the runbook', () => {
    const headings = [...page('runbook.md').matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!)
    expect(ROWS.flatMap(({ runbook }) => runbook).sort()).toEqual(headings.sort())
  })
})

describe.runIf(hasPrometheus)('a real Prometheus, through a scripted outage', () => {
  /** So that nothing has to wait for 30 s. */
  const faster = readAlerts(fasterRules(10))
  let cluster: EmbeddedKafka
  let prometheus: Prometheus
  const registry = new Registry()
  const cleanups: (() => Promise<unknown> | unknown)[] = []

  beforeAll(async () => {
    cluster = await EmbeddedKafka.start({ brokers: 2, autoCreate: false })
    for (const topic of ['healthy', 'leaderless', 'few', 'denied', 'tx']) {
      cluster.createTopic(topic, { partitions: 1, replicationFactor: 1 })
      cluster.moveLeader(topic, 0, 0)
    }
    // A fault of one topic must not meet requests of another.
    cluster.moveLeader('few', 0, 1)
    cluster.deny('denied')
    const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
    const options = { metrics: { registry }, topics: { create: 'never', waitForMs: 300_000 } } as const
    const producer = createResilientProducer(kafka, options)
    const transactional = createResilientProducer(kafka, { ...options, transactionalId: 'tx' })
    await Promise.all([producer.connect(), transactional.connect()])
    const send = (topic: string, records = 1): void => {
      const messages = Array.from({ length: records }, () => ({ value: 'x' }))
      producer.send({ topic, messages }).catch(() => {})
    }
    send('healthy')
    send('leaderless')
    const exporter = await exporterOf(registry)
    prometheus = await Prometheus.start({ job: 'shop', target: exporter.address })
    cleanups.push(
      () => prometheus.stop(),
      () => exporter.close(),
      () => producer.disconnect({ timeoutMs: 0 }),
      () => transactional.disconnect({ timeoutMs: 0 }),
      () => cluster.close({ clients: 'may-stay' }),
    )
    const beat = setInterval(() => send('healthy', 3), 50)
    cleanups.unshift(() => clearInterval(beat))
    // What comes before the first scrape is no increase.
    await vi.waitFor(
      async () => expect(await prometheus.query('count_over_time(up[1m])')).toMatchObject([{ value: 3 }]),
      { timeout: 30_000, interval: 100 },
    )
    cluster.on('Produce', errorCode(19), { topic: 'few', times: Infinity })
    cluster.on(
      'Produce',
      changed(answer => ({ ...answer, throttleTimeMs: 200 })),
      { topic: 'healthy', times: 3 },
    )
    cluster.moveLeader('leaderless', 0, -1)
    send('denied', 1000)
    send('leaderless', 5)
    send('few', 4)
    send('missing', 3)
    const transaction = await transactional.transaction()
    await transaction.send({ topic: 'tx', messages: [{ value: 'x' }] })
    await transaction.commit()
  }, 60_000)

  afterAll(async () => {
    for (const end of cleanups) await end()
  })

  const shows = (expr: string): Promise<void> =>
    vi.waitFor(async () => expect(await prometheus.query(expr)).not.toEqual([]), {
      timeout: 20_000,
      interval: 200,
    })

  test('increase() sees the first burst of failures', async () => {
    const failed =
      'sum(increase(kafka_resilient_producer_records_failed_total{error="TopicAuthorizationError"}[1m]))'
    await vi.waitFor(
      async () => expect((await prometheus.query(failed))[0]?.value).toBeGreaterThanOrEqual(1000),
      {
        timeout: 20_000,
        interval: 200,
      },
    )
  })

  test.each(['RecordsFailing', 'TopicMissing', 'LeaderMissing', 'Retrying'])(
    'the condition of KafkaProducer%s is met',
    async name => shows(faster.find(each => each.name === `KafkaProducer${name}`)!.expr),
  )

  test('the condition of no other alert is', async () => {
    const met: string[] = []
    for (const { name, expr } of faster) if ((await prometheus.query(expr)).length > 0) met.push(name)
    expect(met).toEqual(
      expect.arrayContaining([
        'KafkaProducerRecordsFailing',
        'KafkaProducerTopicMissing',
        'KafkaProducerLeaderMissing',
      ]),
    )
    const quiet = [
      'BufferNearFull',
      'SendersBlocked',
      'MetadataFailing',
      'AuthenticationFailing',
      'TransactionsFailed',
    ]
    for (const name of quiet) expect(met).not.toContain(`KafkaProducer${name}`)
  })

  test.each(ROWS.flatMap(({ panels }) => panels.map(({ title, expr }) => [title, expr] as const)))(
    'the panel "%s" has data',
    async (_, expr) => shows(expr.replaceAll('$__rate_interval', '30s').replaceAll('$job', '.*')),
  )
})
