import type { ClientOptions, Compression } from '../clients/client.js'
import { CLIENTS, type ClientName } from '../clients/index.js'
import type { ResultOf, Work } from '../work/index.js'
import { type JobHooks, runJob } from './job.js'

/** One row of a table: a client with its settings. */
export interface Contender {
  readonly id: string
  readonly label: string
  readonly client: ClientName
  readonly idempotent: boolean
  /** How it is set, in words; 'defaults' where nothing is. */
  readonly tuning: string
  readonly settings: ClientOptions['settings']
}

const contender = (
  client: ClientName,
  label: string,
  idempotent: boolean,
  tuning = 'defaults',
  settings: ClientOptions['settings'] = {},
): Contender => ({
  id: [client, idempotent ? 'idempotent' : 'plain', ...(tuning === 'defaults' ? [] : ['tuned'])].join('-'),
  label,
  client,
  idempotent,
  tuning,
  settings,
})

const RDKAFKA_TUNING = 'linger.ms 10, batch.num.messages 10,000, sticky 10 ms'
const RDKAFKA_TUNED = { 'linger.ms': 10, 'batch.num.messages': 10_000 }

export const OURS = contender('ours', 'ours', true)
export const OURS_PLAIN = contender('ours', 'ours', false)
export const OURS_ENQUEUE = contender('ours-enqueue', 'ours, enqueue()', true)
export const OURS_NODE_24 = contender('ours-node24', 'ours on Node 24', true)
export const OURS_BEFORE = contender('ours-before', 'ours, the build before', true)
export const OURS_METRICS = contender('ours-metrics', 'ours', true)
export const KAFKAJS = contender('kafkajs', 'kafkajs 2.2.4', false)
export const PLATFORMATIC = contender('platformatic', '@platformatic/kafka 1.35', false)
export const PLATFORMATIC_TUNED = contender(
  'platformatic',
  '@platformatic/kafka 1.35',
  false,
  'maxInflights 100, metadataMaxAge 5 min',
  { maxInflights: 100, metadataMaxAge: 300_000 },
)
export const PLATFORMATIC_NEWEST = contender(
  'platformatic-newest',
  '@platformatic/kafka 2.12, Node 24',
  false,
)
export const KAFKA_TS = contender('kafka-ts', 'kafka-ts 1.5', true)
export const KAFKA_CRAB = contender('kafka-crab', 'kafka-crab-js 5, Node 24', false)
export const CONFLUENT = contender('confluent', '@confluentinc/kafka-javascript 1.10', false)
export const CONFLUENT_IDEMPOTENT = contender('confluent', '@confluentinc/kafka-javascript 1.10', true)
export const CONFLUENT_TUNED = contender(
  'confluent',
  '@confluentinc/kafka-javascript 1.10',
  false,
  RDKAFKA_TUNING,
  RDKAFKA_TUNED,
)
export const CONFLUENT_LINGER_0 = {
  ...CONFLUENT,
  id: 'confluent-linger-0',
  tuning: 'linger.ms 0',
  settings: { 'linger.ms': 0 },
}
export const CONFLUENT_LINGER_5 = {
  ...CONFLUENT,
  id: 'confluent-linger-5',
  tuning: 'linger.ms 5',
  settings: { 'linger.ms': 5 },
}
export const RDKAFKA = contender('node-rdkafka', 'node-rdkafka 3.6, produce(), polled each ms', false)
export const RDKAFKA_TUNED_ROW = contender(
  'node-rdkafka',
  'node-rdkafka 3.6, produce(), polled each ms',
  false,
  RDKAFKA_TUNING,
  RDKAFKA_TUNED,
)

export interface WorkOptions extends JobHooks {
  readonly compression?: Compression
}

/** Does the work with this client and these settings in a process of its own. */
export const contend = <W extends Work>(
  { client, idempotent, settings }: Contender,
  /** One or more addresses, with commas between. */
  bootstrap: string,
  task: W,
  { compression = 'none', ...hooks }: WorkOptions = {},
): Promise<ResultOf<W>> =>
  runJob(
    { client, options: { brokers: bootstrap.split(','), idempotent, compression, settings }, work: task },
    hooks,
  )

/** Runs whatever is asked for, as ours does: a figure beside it tells what the machine alone costs. */
export const NOTHING = contender('nothing', 'no client, the pacing alone', false)

export const isOurs = ({ client }: { client: ClientName }): boolean => client.startsWith('ours')

/** With its settings, where they are not its defaults. */
export const named = ({ label, tuning }: Pick<Contender, 'label' | 'tuning'>): string =>
  tuning === 'defaults' ? label : `${label} (${tuning})`

export interface Selection<C> {
  readonly chosen: C[]
  readonly skipped: string[]
}

/** Those that can run here and were not excluded; a line for each that cannot. */
export const select = <C extends Contender>(
  contenders: readonly C[],
  only: readonly string[],
): Selection<C> => {
  const wanted = contenders.filter(
    each =>
      only.length === 0 || isOurs(each) || each === NOTHING || only.some(part => each.id.includes(part)),
  )
  const skipped = new Set<string>()
  const chosen = wanted.filter(each => {
    const why = CLIENTS[each.client].missing()
    if (why !== undefined) skipped.add(`${each.label}: ${why}`)
    return why === undefined
  })
  return { chosen, skipped: [...skipped] }
}
