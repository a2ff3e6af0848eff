import { isObject } from '../../util/plainObject.js'

/** One option: what it accepts, its default, and what the README says of it. */
export interface OptionSpec {
  readonly name: string
  readonly kind: 'ms' | 'bytes' | 'count' | 'boolean' | 'choice' | 'factor' | 'function' | 'object' | 'name'
  /** As the README shows it. */
  readonly shown: string
  readonly fallback: unknown
  readonly min?: number
  readonly max?: number
  readonly choices?: readonly unknown[]
  readonly meaning: string
}

const spec = (
  name: string,
  kind: OptionSpec['kind'],
  fallback: unknown,
  meaning: string,
  rest: Partial<OptionSpec> = {},
): OptionSpec => ({ name, kind, fallback, meaning, shown: rest.shown ?? String(fallback), ...rest })

const MAX_INT32 = 2147483647

/** Every option with its default: the one place for both. A name with a dot is a field of the option before it. */
export const OPTION_SCHEMA: readonly OptionSpec[] = [
  spec('acks', 'choice', -1, 'Acknowledgements: -1 all in-sync replicas, 1 the leader, 0 none.', {
    choices: [-1, 0, 1],
  }),
  spec(
    'ackTimeoutMs',
    'ms',
    30000,
    "The broker's wait for its replicas. Where only `requestTimeoutMs` is set, it ends a second before that.",
    { min: 1 },
  ),
  spec(
    'idempotent',
    'boolean',
    undefined,
    'No record twice, order kept through retries. Unset: on where possible; a call with acks 0 or 1, or a cluster that refuses a producer id, goes without, with one warning. `true`: those are errors. `false`: off.',
    { shown: 'unset' },
  ),
  spec(
    'lingerMs',
    'ms',
    0,
    'Above 0: how long a batch that is not full waits for more. 0: a batch leaves at once while fewer than two requests to its broker are in flight; else records gather until an answer or a full batch.',
    { min: 0 },
  ),
  spec(
    'batchBytes',
    'bytes',
    65536,
    'A batch of one partition is closed at this size; a larger single record travels alone.',
    {
      min: 1,
    },
  ),
  spec('batchRecords', 'count', 10000, 'A batch of one partition is closed at this number of records.', {
    min: 1,
  }),
  spec(
    'requestBytes',
    'bytes',
    104857600,
    "The largest request (the broker's socket.request.max.bytes). A record that does not fit into one (less 512 bytes for what stands around it) is refused at the call.",
    {
      min: 1024,
    },
  ),
  spec(
    'bufferBytes',
    'bytes',
    67108864,
    'What the producer may hold: records of every state, from admission to their end.',
    {
      min: 1024,
      max: Number.MAX_SAFE_INTEGER,
    },
  ),
  spec(
    'maxWaitingBytes',
    'bytes',
    undefined,
    'What may wait for space in the buffer, 250 bytes for each record included. Beyond it `send` rejects at once with BufferFullError.',
    {
      min: 0,
      max: Number.MAX_SAFE_INTEGER,
      shown: '16 x `bufferBytes`',
    },
  ),
  spec('maxBlockMs', 'ms', 60000, 'How long `send` waits for buffer space before BufferFullError.', {
    min: 0,
  }),
  spec(
    'deliveryTimeoutMs',
    'ms',
    120000,
    'From the call to the outcome, across buffer, topic, linger and retries.',
    {
      min: 1,
    },
  ),
  spec(
    'requestTimeoutMs',
    'ms',
    30000,
    'A produce request without an answer for this long, and for a second longer than `ackTimeoutMs`, is given up with its connection.',
    {
      min: 1,
    },
  ),
  spec(
    'metadataRequestTimeoutMs',
    'ms',
    3000,
    'A metadata request without an answer for this long goes to another broker.',
    {
      min: 1,
    },
  ),
  spec(
    'connectionsMaxIdleMs',
    'ms',
    540000,
    'A connection on which nothing happened for this long is closed, before the broker or something between does it in silence.',
    { min: 1 },
  ),
  spec(
    'allowBroker',
    'function',
    undefined,
    'Called with host and port of an address that a broker advertises: false, and no connection is made to it. Credentials go to whatever is advertised.',
    { shown: 'all' },
  ),
  spec('maxInFlightPerBroker', 'count', 5, 'Produce requests in flight to one broker.', { min: 1 }),
  spec('retry.retries', 'count', Infinity, 'Attempts after the first, for a batch.', {
    min: 0,
    shown: 'unlimited',
  }),
  spec('retry.minTimeoutMs', 'ms', 100, 'The first wait between attempts.', { min: 0 }),
  spec('retry.maxTimeoutMs', 'ms', 1000, 'The longest wait between attempts.', { min: 0 }),
  spec('retry.factor', 'factor', 2, 'Growth of the wait.', { min: 1 }),
  spec(
    'retry.jitter',
    'factor',
    0.2,
    'Lengthens or shortens each wait by a random share of it up to this one.',
    {
      min: 0,
      max: 1,
    },
  ),
  spec(
    'metadataRetry.retries',
    'count',
    64,
    'Attempts after the first, for a topic that is not available yet.',
    { min: 0 },
  ),
  spec('metadataRetry.minTimeoutMs', 'ms', 50, 'The first wait.', { min: 0 }),
  spec('metadataRetry.maxTimeoutMs', 'ms', 1000, 'The longest wait.', { min: 0 }),
  spec('metadataRetry.factor', 'factor', 2, 'Growth of the wait.', { min: 1 }),
  spec('metadataRetry.jitter', 'boolean', true, 'Lengthens each wait by a random factor of 1 to 2.'),
  spec('metadataRetry.maxRetryTimeMs', 'ms', 30000, "A topic's whole budget.", { min: 0 }),
  spec(
    'metadataRetry.onRetry',
    'function',
    undefined,
    'Called with `{ topic, attempt, delayMs, error }` before each wait.',
    {
      shown: 'none',
    },
  ),
  spec('metadataMaxAgeMs', 'ms', 300000, 'Topics in use are asked for again, by name, at this age.', {
    min: 1,
  }),
  spec(
    'metadataMaxIdleMs',
    'ms',
    300000,
    'A topic or partition that was not used for this long is forgotten, at the latest after twice that.',
    {
      min: 1,
    },
  ),
  spec('compression', 'choice', 0, 'CompressionTypes of kafkajs.', {
    choices: [0, 1, 2, 3, 4],
    shown: 'none',
  }),
  spec(
    'createPartitioner',
    'function',
    undefined,
    'A partitioner made for kafkajs. Default: pinned partition, else murmur2 of the key as the Java client, else sticky (KIP-794).',
    {
      shown: 'sticky + murmur2',
    },
  ),
  spec(
    'transactionalId',
    'name',
    undefined,
    'Makes `transaction()` possible, and fences the producer that had the id before.',
    { shown: 'none' },
  ),
  spec(
    'transactionTimeoutMs',
    'ms',
    60000,
    "The coordinator aborts a transaction that is open for this long (at most the brokers' transaction.max.timeout.ms).",
    { min: 1 },
  ),
  spec('topics', 'object', undefined, 'The topic policy: see *How topics are created*.', {
    shown: "`{ create: 'broker' }`",
  }),
  spec(
    'metrics',
    'object',
    undefined,
    '`{ registry, prefix, topicLabel, maxTopics, topicMetrics, clientId }`: see *Metrics*.',
    {
      shown: 'off',
    },
  ),
  spec(
    'onDeliveryError',
    'function',
    undefined,
    'Takes the failures of records enqueued without a callback.',
    {
      shown: 'logged',
    },
  ),
]

/** The default of a number. */
export const defaultOf = (name: string): number =>
  OPTION_SCHEMA.find(each => each.name === name)?.fallback as number

/** One option's value, or its default; a problem is added to the list. */
export const checkOption = (option: OptionSpec, value: unknown, problems: string[]): unknown => {
  if (value === undefined) return option.fallback
  const problem = problemOf(option, value)
  if (problem !== undefined) problems.push(`${option.name} ${problem}, but is ${show(value)}`)
  return value
}

const problemOf = ({ kind, choices, min = 0, max }: OptionSpec, value: unknown): string | undefined => {
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'must be true or false'
    case 'name':
      return typeof value === 'string' && value !== '' ? undefined : 'must be a string that is not empty'
    case 'function':
      return typeof value === 'function' ? undefined : 'must be a function'
    case 'object':
      return isObject(value) ? undefined : 'must be an object'
    case 'choice':
      return choices?.includes(value) ? undefined : `must be one of ${choices?.join(', ')}`
    case 'factor':
      return typeof value === 'number' && value >= min && value <= (max ?? Number.MAX_VALUE)
        ? undefined
        : `must be a number ${max === undefined ? `of at least ${min}` : `from ${min} to ${max}`}`
    case 'count':
      if (value === Infinity && max === undefined) return undefined
      return isWhole(value, min, max ?? MAX_INT32) ? undefined : `must be a whole number of at least ${min}`
    case 'ms':
    case 'bytes':
      return isWhole(value, min, max ?? MAX_INT32)
        ? undefined
        : `must be a whole number of ${kind} from ${min} to ${max ?? MAX_INT32}`
  }
}

const isWhole = (value: unknown, min: number, max: number): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max

/** A wrong value is shown by its kind where it could be large or secret. */
const show = (value: unknown): string =>
  typeof value === 'number' || typeof value === 'boolean' || value === null
    ? String(value)
    : `a ${typeof value}`
