import { type Command, Option } from 'commander'
import { CompressionTypes } from 'kafkajs'
import type { ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { addConnectionFlags, type ConnectionFlags } from '../../connection/flags.js'
import { type RecordMapping, topicNameProblem } from '../../ndjson/record.js'
import { countOrDefault, milliseconds, positive } from '../../numbers.js'
import { UsageError } from '../../process/exit.js'

export interface ProduceFlags extends ConnectionFlags {
  readonly topic?: string
  readonly topicField?: string
  readonly topicPrefix?: string
  readonly keyField?: string
  readonly strict?: boolean
  readonly maxLineBytes: number
  readonly topicCreation?: 'broker' | 'admin' | 'never'
  readonly partitions?: number
  readonly replicationFactor?: number
  readonly acks?: 'all' | '1' | '0'
  readonly compression?: Compression
  readonly lingerMs?: number
  readonly deliveryTimeoutMs?: number
  readonly quiet?: boolean
  readonly verbose?: boolean
}

const COMPRESSIONS = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const
type Compression = keyof typeof COMPRESSIONS

const DEFAULT_MAX_LINE_BYTES = 10 * 1024 * 1024

export function addProduceFlags(command: Command): Command {
  command
    .argument('[files...]', 'newline-delimited JSON; - or nothing is standard input')
    .optionsGroup('Records:')
    .option('-t, --topic <name>', 'write every record to this topic')
    .option('--topic-field <field>', 'take the topic from this field (a.b reaches into objects)')
    .option('--topic-prefix <text>', 'put this before the topic’s name')
    .option('-k, --key-field <field>', 'take the key from this field')
    .option('--strict', 'stop at the first malformed line')
    .addOption(
      new Option('--max-line-bytes <bytes>', 'take longer lines for malformed')
        .argParser(positive)
        .default(DEFAULT_MAX_LINE_BYTES),
    )
    .optionsGroup('Topics that do not exist:')
    .addOption(
      new Option('--topic-creation <by>', 'who creates them (default: "broker")').choices([
        'broker',
        'admin',
        'never',
      ]),
    )
    .option('--partitions <count>', 'with admin: their partitions (-1: the broker’s default)', countOrDefault)
    .option(
      '--replication-factor <count>',
      'with admin: their replicas (-1: the broker’s default)',
      countOrDefault,
    )
    .optionsGroup('Delivery:')
    .addOption(
      new Option('--acks <who>', 'who must have written a record (default: "all")').choices([
        'all',
        '1',
        '0',
      ]),
    )
    .addOption(
      new Option('--compression <codec>', 'compress batches (default: "none")').choices(
        Object.keys(COMPRESSIONS),
      ),
    )
    .option('--linger-ms <ms>', 'let batches gather for at least this long (default: 0)', milliseconds)
    .option('--delivery-timeout-ms <ms>', 'give a record up after this long (default: 120000)', milliseconds)
  addConnectionFlags(command)
  return command
    .optionsGroup('Output:')
    .option('-q, --quiet', 'print complaints only')
    .option('-v, --verbose', 'print the client’s log, every complaint, and stacks')
    .optionsGroup('')
}

/**
 * How lines become records.
 *
 * @throws UsageError
 */
export function mappingOf(flags: ProduceFlags): RecordMapping {
  const { topic, topicField, topicPrefix = '', keyField, maxLineBytes } = flags
  if ((topic === undefined) === (topicField === undefined)) {
    throw new UsageError('say where the records go: either --topic or --topic-field')
  }
  if (topic !== undefined) {
    const problem = topicNameProblem(`${topicPrefix}${topic}`)
    if (problem) throw new UsageError(problem)
  }
  return {
    topic: topic === undefined ? { field: topicField! } : { name: topic },
    topicPrefix,
    keyField,
    maxLineBytes,
  }
}

const ACKS = { all: -1, '1': 1, '0': 0 } as const

/**
 * The producer's options: the configuration file's, with the flags that were given in their place. What they hold is
 * checked by the producer.
 *
 * @throws UsageError
 */
export function producerOptionsOf(
  flags: ProduceFlags,
  config: Readonly<Record<string, unknown>>,
): ResilientProducerOptions {
  const configTopics = typeof config.topics === 'object' && config.topics !== null ? config.topics : {}
  const topics: Record<string, unknown> = {
    ...configTopics,
    ...defined({
      create: flags.topicCreation,
      partitions: flags.partitions,
      replicationFactor: flags.replicationFactor,
    }),
  }
  if ((flags.partitions ?? flags.replicationFactor) !== undefined && topics.create !== 'admin') {
    throw new UsageError('--partitions and --replication-factor need --topic-creation admin')
  }
  return {
    ...config,
    ...defined({
      acks: flags.acks === undefined ? undefined : ACKS[flags.acks],
      compression: codecOf(flags.compression ?? config.compression),
      lingerMs: flags.lingerMs,
      deliveryTimeoutMs: flags.deliveryTimeoutMs,
    }),
    ...(Object.keys(topics).length > 0 ? { topics } : {}),
  } as ResilientProducerOptions
}

/** The options of a configuration file, with a codec that is given by its name. */
export const namedCodec = (config: Readonly<Record<string, unknown>>): ResilientProducerOptions =>
  ('compression' in config
    ? { ...config, compression: codecOf(config.compression) }
    : config) as ResilientProducerOptions

/** A codec by its name; a number is kafkajs's own, for the producer to check. */
const codecOf = (given: unknown): unknown =>
  typeof given === 'string' && Object.hasOwn(COMPRESSIONS, given) ? COMPRESSIONS[given as Compression] : given

const defined = (entries: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined))
