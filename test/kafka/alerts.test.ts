import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PanelSpec, ROWS } from '../../ops/dashboard.js'
import { linePlot } from '../../ops/linePlot.js'
import { legendOf, pictureOf } from '../../ops/page.js'
import { killStarted, type Running, start } from '../cli/support/package.js'
import { type Alert, type Course, hasPrometheus, Prometheus } from '../ops/prometheus.js'
import { fasterRules } from '../ops/rules.js'
import { until } from './cluster/wait.js'
import type { ServiceSettings } from './outage/service.js'
import { describeKafka, type TestBroker, uniqueTopic } from './suite.js'
import { createTopics } from './support/admin.js'

const MAIN = fileURLToPath(new URL('./outage/main.mjs', import.meta.url))
/** A minute of the rules is 2 s. */
const FACTOR = 30
const SCRAPE_MS = 500
/** Of the pictures. s */
const STEP_S = 1
const RATE_INTERVAL = '5s'
const patience = { timeoutMs: 120_000, everyMs: 100 }

const PANELS = ROWS.flatMap(({ panels }) => panels)
/** What they show is not played here, or not for certain: the others move. */
const MAY_STAY_AT_ZERO: ReadonlySet<string> = new Set([
  'Requests lost',
  'New epochs',
  'Throttled',
  'Wait for buffer space, p99',
  'Batches divided',
  'Records of aborted transactions',
])

const picture = (panel: PanelSpec): URL => new URL(`../../docs/${pictureOf(panel)}`, import.meta.url)

const config = {
  // The service's records need one broker, but those to `pairs` below.
  'default.replication.factor': '1',
  'min.insync.replicas': '1',
}

const nameOf = ({ labels }: Pick<Alert, 'labels'>): string => labels.alertname!.replace('KafkaProducer', '')

/** A service on a cluster of three brokers, and a Prometheus that scrapes it and evaluates the rules. */
class Outage {
  /** When each step began, in Unix time in s: those that docs/dashboard.md numbers. */
  readonly steps: number[] = []
  private readonly beganAt = Date.now() / 1000
  private endedAt = this.beganAt
  readonly target: string
  readonly prometheus: Prometheus
  private readonly service: Running

  private constructor(service: Running, target: string, prometheus: Prometheus) {
    this.service = service
    this.target = target
    this.prometheus = prometheus
  }

  static async start(settings: ServiceSettings): Promise<Outage> {
    const service = start([MAIN, JSON.stringify(settings)])
    await Promise.race([once(service.child.stdout!, 'data'), service.ended])
    const port = service.output.out.trim()
    if (!/^\d+$/.test(port)) throw new Error(`the service did not start: ${service.output.err}`)
    const target = `127.0.0.1:${port}`
    const rules = fasterRules(FACTOR)
    const prometheus = await Prometheus.start({ job: 'shop', target, everyMs: SCRAPE_MS, rules })
    return new Outage(service, target, prometheus)
  }

  beginStep(): void {
    this.steps.push(Date.now() / 1000)
  }

  async ask(method: 'PUT' | 'DELETE', path: string): Promise<void> {
    await fetch(`http://${this.target}${path}`, { method })
  }

  shows(what: string, expr: string): Promise<true> {
    return until(what, async () => (await this.prometheus.query(expr)).length > 0 || undefined, patience)
  }

  /** Waits until each of these has fired. */
  async fire(...names: string[]): Promise<void> {
    const left = new Set(names)
    await until(
      `the alerts ${names.join(', ')}`,
      async () => {
        for (const alert of (await this.prometheus.alerts()) ?? [])
          if (alert.state === 'firing') left.delete(nameOf(alert))
        return left.size === 0 || undefined
      },
      patience,
    )
  }

  /** Waits until no alert is pending or firing. */
  async isQuiet(): Promise<void> {
    await until(
      'the end of all alerts',
      async () => (await this.prometheus.alerts())?.length === 0 || undefined,
      patience,
    )
    this.endedAt = Date.now() / 1000
  }

  private course(expr: string): Promise<readonly Course[]> {
    return this.prometheus.course(expr, this.beganAt, this.endedAt, STEP_S)
  }

  panel({ expr }: PanelSpec): Promise<readonly Course[]> {
    return this.course(expr.replaceAll('$__rate_interval', RATE_INTERVAL).replaceAll('$job', '.*'))
  }

  draw(panel: PanelSpec, course: readonly Course[]): string {
    return linePlot({
      title: panel.title,
      unit: panel.unit,
      lines: course.map(({ labels, points }) => ({ label: legendOf(panel, labels), points })),
      marks: this.steps.map((at, index) => ({ at, number: index + 1 })),
      from: this.beganAt,
      to: this.endedAt,
    })
  }

  async end(): Promise<void> {
    await this.prometheus.stop()
    this.service.child.kill('SIGKILL')
    await this.service.ended
  }
}

const play = async (broker: TestBroker): Promise<Outage> => {
  const [orders, alone, pairs] = [uniqueTopic('orders'), uniqueTopic('alone'), uniqueTopic('pairs')]
  const assigned = (...replicas: number[][]) => ({
    numPartitions: -1,
    replicaAssignment: replicas.map((each, partition) => ({ partition, replicas: each })),
  })
  await createTopics(
    broker,
    { topic: orders, ...assigned([1, 2], [2, 1], [3, 1]) },
    { topic: alone, ...assigned([3]) },
    {
      topic: pairs,
      ...assigned([1, 3]),
      configEntries: [{ name: 'min.insync.replicas', value: '2' }],
    },
  )
  const outage = await Outage.start({
    brokers: broker.bootstrap,
    steady: [orders, alone, pairs],
    missing: uniqueTopic('missing'),
    fresh: uniqueTopic('tenant'),
    transactionalId: uniqueTopic('tx'),
    deliveryTimeoutMs: 10_000,
    // The leader of `pairs` keeps a request for so long while it waits for a replica that is gone.
    ackTimeoutMs: 2_000,
  })
  const [, second, third] = broker.cluster.nodes
  await outage.shows('a healthy service', 'count_over_time(up[1m]) > 12')
  await outage.shows('new topics', 'sum(increase(kafka_resilient_producer_topics_created_total[1m])) > 2')
  await outage.isQuiet()
  // A new topic might have to wait for its controller, and the missing one is to be the first that waits.
  await outage.ask('DELETE', '/fresh')
  await outage.shows('no topic that waits', 'sum(kafka_resilient_producer_topics_waiting) == 0')
  outage.beginStep()
  await third!.kill()
  await outage.fire('LeaderMissing', 'DeliveryStalled', 'Retrying', 'RecordsFailing')
  outage.beginStep()
  await outage.ask('PUT', '/missing')
  await second!.pause()
  await outage.fire('BrokerUnreachable', 'TopicMissing')
  outage.beginStep()
  await outage.ask('DELETE', '/missing')
  await second!.resume()
  await third!.start()
  await outage.isQuiet()
  return outage
}

if (!hasPrometheus) console.log('No prometheus is installed (Debian: prometheus): its tests are skipped.')

describeKafka('an outage of a real Kafka, as a real Prometheus sees it', { brokers: 3, config }, broker => {
  let outage: Outage

  beforeAll(async () => {
    if (hasPrometheus) outage = await play(broker)
  }, 400_000)

  afterAll(async () => {
    await outage?.end()
    killStarted()
  })

  test.runIf(hasPrometheus)(
    'the alerts fire in the order of their causes, with their labels, and end with them',
    async () => {
      const fired = await outage.prometheus.recorded('ALERTS{alertstate="firing"}', 15)
      const firstOf = (name: string): number =>
        Math.min(...fired.filter(each => nameOf(each) === name).map(({ points }) => points[0]![0]))
      const atFirst = ['LeaderMissing', 'DeliveryStalled', 'Retrying']
      const [killedAt, pausedAt, backAt] = outage.steps
      for (const name of atFirst) expect(firstOf(name), name).toBeGreaterThan(killedAt!)
      // Records are old before they fail.
      expect(firstOf('DeliveryStalled')).toBeLessThan(firstOf('RecordsFailing'))
      for (const name of [...atFirst, 'RecordsFailing']) expect(firstOf(name), name).toBeLessThan(pausedAt!)
      expect(firstOf('TopicMissing')).toBeGreaterThan(pausedAt!)
      expect(firstOf('TopicMissing')).toBeLessThan(backAt!)
      // Of broker 3 too, where the others take their time to find that it is gone.
      expect(firstOf('BrokerUnreachable')).toBeGreaterThan(killedAt!)

      const instance = { job: 'shop', instance: outage.target }
      const labelsOf = (name: string) =>
        fired
          .filter(each => nameOf(each) === name)
          .map(({ labels: { __name__, alertname, alertstate, ...rest } }) => rest)
      expect(labelsOf('LeaderMissing')).toEqual([{ ...instance, severity: 'critical' }])
      expect(labelsOf('DeliveryStalled')).toEqual([{ ...instance, severity: 'critical' }])
      expect(labelsOf('BrokerUnreachable')).toEqual([{ ...instance, severity: 'critical' }])
      expect(labelsOf('Retrying')).toContainEqual({
        ...instance,
        reason: 'NOT_ENOUGH_REPLICAS',
        severity: 'warning',
      })
      expect(labelsOf('TopicMissing')).toEqual([{ ...instance, severity: 'warning' }])
      expect(labelsOf('RecordsFailing')).toContainEqual({
        job: 'shop',
        error: 'DeliveryTimeoutError',
        severity: 'critical',
      })
      // Batches for other leaders may be slow in such a minute; nothing else may be said.
      const expected = new Set([
        ...atFirst,
        'RecordsFailing',
        'BrokerUnreachable',
        'TopicMissing',
        'LatencyBudgetBurn',
      ])
      expect(fired.map(nameOf).filter(name => !expected.has(name))).toEqual([])
    },
  )

  test.runIf(hasPrometheus).each(PANELS.map(panel => [panel.title, panel] as const))(
    'the panel "%s" shows it',
    async (_, panel) => {
      const course = await outage.panel(panel)
      expect(course).not.toEqual([])
      const most = Math.max(...course.flatMap(({ points }) => points.map(([, value]) => value || 0)))
      if (!MAY_STAY_AT_ZERO.has(panel.title)) expect(most).toBeGreaterThan(0)
      if (process.env.UPDATE_DOCS) writeFileSync(picture(panel), outage.draw(panel, course))
    },
  )
})
