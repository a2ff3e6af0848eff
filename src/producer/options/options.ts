import type { ICustomPartitioner } from 'kafkajs'
import { NonRetriableError } from '../../errors/bases.js'
import { InvalidOptionsError } from '../../errors/index.js'
import { type MetricsOptions, metricsProblems } from '../../metrics/options.js'
import {
  compileTopicPolicy,
  type MetadataRetrySettings,
  type TopicPolicy,
  topicPolicyProblems,
} from '../../topics/index.js'
import { isObject, type PlainObject } from '../../util/plainObject.js'
import { checkOption, OPTION_SCHEMA } from './optionSchema.js'
import type { ResilientProducerOptions } from './optionTypes.js'

/** Options with every default filled in. */
export interface ProducerSettings {
  readonly acks: number
  readonly ackTimeoutMs: number
  readonly idempotent: boolean | undefined
  readonly lingerMs: number
  readonly batchBytes: number
  readonly batchRecords: number
  readonly requestBytes: number
  readonly bufferBytes: number
  /** Unset: 16 times `bufferBytes`. */
  readonly maxWaitingBytes: number | undefined
  readonly maxBlockMs: number
  readonly deliveryTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly metadataRequestTimeoutMs: number
  readonly connectionsMaxIdleMs: number
  readonly allowBroker: ((host: string, port: number) => boolean) | undefined
  readonly maxInFlightPerBroker: number
  readonly retry: {
    readonly retries: number
    readonly minTimeoutMs: number
    readonly maxTimeoutMs: number
    readonly factor: number
    readonly jitter: number
  }
  readonly metadataRetry: MetadataRetrySettings
  readonly metadataMaxAgeMs: number
  readonly metadataMaxIdleMs: number
  readonly compression: number
  readonly createPartitioner: ICustomPartitioner | undefined
  readonly topics: TopicPolicy
  readonly metrics: MetricsOptions | undefined
  readonly transactionalId: string | undefined
  readonly transactionTimeoutMs: number
  readonly onDeliveryError: ResilientProducerOptions['onDeliveryError']
}

/** The parts of a name: `retry.factor` is the field `factor` of the option `retry`. */
const split = (name: string): [string, string | undefined] => {
  const [group, field] = name.split('.') as [string, string?]
  return [group, field]
}

const GROUPS = new Set(
  OPTION_SCHEMA.map(each => split(each.name)).flatMap(([group, field]) => (field ? [group] : [])),
)
const NAMES = new Set(OPTION_SCHEMA.map(each => each.name))

const unknownNames = (options: PlainObject): string[] =>
  Object.keys(options).flatMap(name => {
    if (!GROUPS.has(name)) return NAMES.has(name) ? [] : [`${name} is not an option`]
    const group = options[name]
    if (group === undefined) return []
    if (!isObject(group)) return [`${name} must be an object`]
    return Object.keys(group).flatMap(field =>
      NAMES.has(`${name}.${field}`) ? [] : [`${name}.${field} is not an option`],
    )
  })

/**
 * Fills in the defaults.
 *
 * @throws {InvalidOptionsError} that lists every problem; {NonRetriableError} where `idempotent: true` may not retry
 */
export const resolveOptions = (options: ResilientProducerOptions = {}): ProducerSettings => {
  if (!isObject(options as unknown)) throw new InvalidOptionsError(['the options must be an object'])
  const problems = unknownNames(options as PlainObject)
  const settings: PlainObject = {}
  for (const option of OPTION_SCHEMA) {
    const [group, field] = split(option.name)
    if (field === undefined) {
      settings[group] = checkOption(option, (options as PlainObject)[group], problems)
    } else {
      const given = (options as PlainObject)[group]
      const target = (settings[group] ??= {}) as PlainObject
      target[field] = checkOption(option, isObject(given) ? given[field] : undefined, problems)
    }
  }
  // A problem of an object as such is told by the schema.
  if (isObject(options.topics)) problems.push(...topicPolicyProblems(options.topics))
  if (isObject(options.metrics)) problems.push(...metricsProblems(options.metrics))
  if (options.idempotent === true && options.acks !== undefined && options.acks !== -1) {
    problems.push('idempotent: true needs acks -1')
  }
  for (const name of ['retry', 'metadataRetry'] as const) {
    const { minTimeoutMs, maxTimeoutMs } = settings[name] as ProducerSettings['retry']
    if (minTimeoutMs > maxTimeoutMs)
      problems.push(`${name}.minTimeoutMs must not be above ${name}.maxTimeoutMs`)
  }
  if (problems.length > 0) throw new InvalidOptionsError(problems)
  if (options.idempotent === true && (settings.retry as ProducerSettings['retry']).retries < 1) {
    // In kafkajs's words, which callers may look for.
    throw new NonRetriableError('Idempotent producer must allow retries to protect against transient errors')
  }
  settings.topics = compileTopicPolicy(options.topics)
  return settings as unknown as ProducerSettings
}
