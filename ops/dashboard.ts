import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'

/** One panel: what it shows, and its query in PromQL. */
export interface PanelSpec {
  readonly title: string
  readonly description: string
  readonly unit: string
  readonly expr: string
  readonly legend: string
}

interface RowSpec {
  readonly title: string
  /** Sections of docs/runbook.md on what these panels show. */
  readonly runbook: readonly string[]
  readonly panels: readonly PanelSpec[]
}

const P = 'kafka_resilient_producer_'
const SELECTOR = '{job=~"$job"}'
const rate = (metric: string, by: string): string =>
  `sum by (${by}) (rate(${P}${metric}${SELECTOR}[$__rate_interval]))`
const level = (metric: string, by: string): string => `sum by (${by}) (${P}${metric}${SELECTOR})`
const quantile = (metric: string, by = ''): string =>
  `histogram_quantile(0.99, sum by (le${by}) (rate(${P}${metric}_bucket${SELECTOR}[$__rate_interval])))`
const panel = (
  title: string,
  unit: string,
  expr: string,
  legend: string,
  description: string,
): PanelSpec => ({
  title,
  unit,
  expr,
  legend,
  description,
})

/** Every panel, in the order in which somebody on call looks. */
export const ROWS: readonly RowSpec[] = [
  {
    title: 'Is everything delivered?',
    runbook: ['Records failing', 'Delivery stalled', 'Delivery late', 'Retrying', 'Latency'],
    panels: [
      panel(
        'Records sent',
        'cps',
        rate('records_sent_total', 'job'),
        '{{job}}',
        'Acknowledged records per second.',
      ),
      panel(
        'Records failed',
        'cps',
        rate('records_failed_total', 'error'),
        '{{error}}',
        'Records that ended with an error, per second.',
      ),
      panel(
        'Records waiting',
        'short',
        level('records_waiting', 'for'),
        '{{for}}',
        'Records that something holds up, by what they wait for.',
      ),
      panel(
        'Oldest record',
        's',
        `max by (job) (${P}oldest_record_seconds${SELECTOR})`,
        '{{job}}',
        'Age of the oldest record that has not ended.',
      ),
      panel(
        'Delivery, p99',
        's',
        quantile('delivery_seconds'),
        'p99',
        'From the call to the acknowledgement of its batch.',
      ),
      panel(
        'Records retried',
        'cps',
        rate('record_retries_total', 'reason'),
        '{{reason}}',
        'Records sent in a further request, by the error that caused it.',
      ),
    ],
  },
  {
    title: 'Brokers',
    runbook: ['Broker unreachable', 'Authentication failing', 'Quota'],
    panels: [
      panel(
        'Request, p99 by broker',
        's',
        quantile('request_seconds', ', broker'),
        'broker {{broker}}',
        'Duration of produce requests.',
      ),
      panel(
        'Connections',
        'short',
        level('connections', 'broker'),
        'broker {{broker}}',
        'Open connections for produce requests.',
      ),
      panel(
        'Failed connects',
        'cps',
        `sum by (broker, outcome) (rate(${P}connects_total{job=~"$job",outcome!="ok"}[$__rate_interval]))`,
        'broker {{broker}} {{outcome}}',
        'Attempts to connect that failed, by how.',
      ),
      panel(
        'Requests lost',
        'cps',
        rate('requests_lost_total', 'broker'),
        'broker {{broker}}',
        'Produce requests that ended without an answer.',
      ),
      panel(
        'Throttled',
        'percentunit',
        rate('throttle_seconds_total', 'broker'),
        'broker {{broker}}',
        'Share of the time for which a quota holds requests back.',
      ),
      panel(
        'Requests in flight',
        'short',
        level('requests_in_flight', 'job'),
        '{{job}}',
        'Produce requests that are not answered yet.',
      ),
    ],
  },
  {
    title: 'Topics and metadata',
    runbook: ['Topic missing', 'Metadata failing', 'Leader missing'],
    panels: [
      panel(
        'Topics waited for',
        'short',
        level('topics_waiting', 'job'),
        '{{job}}',
        'Topics that do not exist yet, and that records wait for.',
      ),
      panel(
        'Partitions without a leader',
        'short',
        level('partitions_without_leader', 'job'),
        '{{job}}',
        'Of the topics in use.',
      ),
      panel(
        'Topics created',
        'cps',
        rate('topics_created_total', 'by'),
        'by {{by}}',
        'Topics that appeared after records asked for them.',
      ),
      panel(
        'Metadata requests',
        'cps',
        rate('metadata_refreshes_total', 'trigger, outcome'),
        '{{trigger}} {{outcome}}',
        'By what asked for them and how they ended.',
      ),
      panel(
        'Age of metadata',
        's',
        `max by (job) (${P}metadata_age_seconds${SELECTOR})`,
        '{{job}}',
        'Since the last answer to a metadata request.',
      ),
      panel(
        'Topics asked for again',
        'cps',
        rate('metadata_retries_total', 'error'),
        '{{error}}',
        'By the error that was answered.',
      ),
    ],
  },
  {
    title: 'Buffer and batches',
    runbook: ['Buffer near full', 'Senders blocked'],
    panels: [
      panel(
        'Buffer in use',
        'percentunit',
        `sum by (job) (${P}buffered_bytes${SELECTOR}) / sum by (job) (${P}buffer_limit_bytes${SELECTOR})`,
        '{{job}}',
        'Share of bufferBytes.',
      ),
      panel(
        'Buffered records',
        'short',
        level('buffered_records', 'job'),
        '{{job}}',
        'Admitted and not yet ended.',
      ),
      panel(
        'Wait for buffer space, p99',
        's',
        quantile('buffer_wait_seconds'),
        'p99',
        'However the wait ended.',
      ),
      panel(
        'Time in the queue, p99',
        's',
        quantile('queue_seconds'),
        'p99',
        "From a batch's first record to its first request.",
      ),
      panel(
        'Records per batch',
        'short',
        `sum(rate(${P}batch_records_sum${SELECTOR}[$__rate_interval])) / sum(rate(${P}batch_records_count${SELECTOR}[$__rate_interval]))`,
        'mean',
        'The larger, the cheaper a record.',
      ),
      panel(
        'Batches divided',
        'cps',
        rate('batches_split_total', 'job'),
        '{{job}}',
        'Refused by a broker as too large.',
      ),
    ],
  },
  {
    title: 'Idempotence and transactions',
    runbook: ['Fenced transactions'],
    panels: [
      panel(
        'Transactions',
        'cps',
        rate('transactions_ended_total', 'outcome'),
        '{{outcome}}',
        'By how they ended.',
      ),
      panel(
        'Records of aborted transactions',
        'cps',
        rate('records_aborted_total', 'job'),
        '{{job}}',
        'Acknowledged, and not committed.',
      ),
      panel(
        'New epochs',
        'cps',
        rate('epoch_bumps_total', 'job'),
        '{{job}}',
        'A failure left a gap in the sequences.',
      ),
      panel(
        'Versions',
        'short',
        `count by (version, node) (${P}build_info${SELECTOR})`,
        '{{version}} on Node.js {{node}}',
        'What runs.',
      ),
    ],
  },
]

const DATASOURCE = { type: 'prometheus', uid: '$datasource' }
const PANEL_HEIGHT = 8
const PANEL_SPAN = 8

/** The dashboard as Grafana imports it. */
export const dashboard = (): Dashboard => {
  const builder = new DashboardBuilder('Kafka producers (kafkajs-resilient-producer)')
    .uid('kafkajs-resilient-producer')
    .description(
      'What waits, what fails and how the brokers do. The alerts are in ops/alerts.yml, the runbook in docs/runbook.md.',
    )
    .tags(['kafka', 'nodejs'])
    .refresh('30s')
    .time({ from: 'now-1h', to: 'now' })
    .withVariable(new DatasourceVariableBuilder('datasource').label('Prometheus').type('prometheus'))
    .withVariable(
      new QueryVariableBuilder('job')
        .label('Job')
        .datasource(DATASOURCE)
        .query(`label_values(${P}build_info, job)`)
        .includeAll(true)
        .allValue('.*')
        .multi(true),
    )
  for (const { title, panels } of ROWS) {
    builder.withRow(new RowBuilder(title))
    for (const each of panels) {
      builder.withPanel(
        new PanelBuilder()
          .title(each.title)
          .description(each.description)
          .datasource(DATASOURCE)
          .unit(each.unit)
          .min(0)
          .height(PANEL_HEIGHT)
          .span(PANEL_SPAN)
          .withTarget(new DataqueryBuilder().expr(each.expr).legendFormat(each.legend).refId('A')),
      )
    }
  }
  return builder.build()
}
