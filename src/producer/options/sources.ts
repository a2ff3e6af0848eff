import type { Kafka, ProducerConfig, RetryOptions } from 'kafkajs'
import { InvalidOptionsError } from '../../errors/index.js'
import type { TopicCreation, TopicPolicyOptions, TopicRule } from '../../topics/index.js'
import { retryOf } from '../../transport/kafkajs/index.js'
import { defined, given, isObject, type PlainObject } from '../../util/plainObject.js'
import { creationOfEnvironment } from './environment.js'
import { deliveryRetry, metadataBudget } from './kafkajsRetry.js'
import { defaultOf, OPTION_SCHEMA } from './optionSchema.js'
import type { ResilientProducerOptions } from './optionTypes.js'

/** What a client gives all its producers. */
export interface ClientSources {
  /** Of a ResilientKafka. */
  readonly options?: ResilientProducerOptions | undefined
  /** Of a KafkaConfig. */
  readonly retry?: RetryOptions | undefined
  /** Of a KafkaConfig. ms */
  readonly requestTimeout?: number | undefined
  /** Of the environment; asked where nobody else says it. */
  readonly create?: (() => TopicCreation | undefined) | undefined
}

/** A property, so that it is there behind a Proxy too; this folder need not know who has it. */
const SOURCES = Symbol('kafkajs-resilient-producer: sources')

/** From now on, the clients of this Kafka begin with these options. */
export const giveSources = (kafka: Kafka, sources: ClientSources): void => {
  Object.defineProperty(kafka, SOURCES, { value: sources })
}

/**
 * @throws {IncompatibleKafkajsError} not a Kafka of kafkajs 2.2
 */
export const sourcesOf = (kafka: Kafka): ClientSources =>
  (kafka as { readonly [SOURCES]?: ClientSources } | undefined)?.[SOURCES] ?? {
    retry: retryOf(kafka),
    create: creationOfEnvironment,
  }

/** Where a producer's options come from, the strongest first. */
export interface OptionSources {
  /** kafkajs's own. */
  readonly config?: { readonly [K in keyof ProducerConfig]: ProducerConfig[K] | undefined } | undefined
  readonly options?: ResilientProducerOptions | undefined
  readonly client: ClientSources
}

/**
 * One set of options: ProducerConfig, producer options, options of the ResilientKafka, KafkaConfig, environment; what none of them
 * says is left to the defaults. Options with fields are combined field by field. What is wrong is left for `resolveOptions` to find.
 *
 * @throws {InvalidOptionsError} where the options are no objects, or the environment says something that cannot be
 */
export const combineOptions = ({ config = {}, options, client }: OptionSources): ResilientProducerOptions => {
  const own = combined(options, client.options)
  return defined({
    requestTimeoutMs: bounded(client.requestTimeout),
    ackTimeoutMs: ackTimeout(own.requestTimeoutMs ?? client.requestTimeout),
    ...own,
    ...given({
      createPartitioner: config.createPartitioner,
      idempotent: config.idempotent,
      maxInFlightPerBroker: config.maxInFlightRequests,
      metadataMaxAgeMs: bounded(config.metadataMaxAge),
      // Empty is none to kafkajs.
      transactionalId: config.transactionalId === '' ? undefined : config.transactionalId,
      transactionTimeoutMs: config.transactionTimeout,
    }),
    retry: unlessWrong(own.retry, retry =>
      deliveryRetry({ producer: config.retry, own: retry, client: client.retry }),
    ),
    // No field of kafkajs has its name: what is derived from another stands below what was said of it.
    metadataRetry: unlessWrong(own.metadataRetry, retry => ({
      ...metadataBudget(config.retry, client.retry),
      ...retry,
    })),
    topics: unlessWrong(own.topics, topics =>
      topicsOf(defined(topics), config.allowAutoTopicCreation, client.create),
    ),
  })
}

/** kafkajs takes an age without end. ms */
const bounded = (ms: number | undefined): number | undefined => ms && Math.min(ms, 2 ** 31 - 1)

/** What a request's own deadline stays behind the broker's. ms */
const ANSWER_MS = 1000

/** The broker's time-out is part of a request's, and ends before it: else a shorter one would change nothing. ms */
const ackTimeout = (requestTimeout: unknown): number | undefined =>
  typeof requestTimeout === 'number' && requestTimeout > 0
    ? Math.max(1, Math.min(defaultOf('ackTimeoutMs'), requestTimeout - ANSWER_MS))
    : undefined

/** Options of ours that stand where kafkajs's are expected, and would be passed over in silence there. */
export const optionsAmong = (config: object | undefined): readonly string[] =>
  Object.keys(config ?? {}).filter(name => OPTION_NAMES.has(name) && !SHARED_NAMES.has(name))

const OPTION_NAMES = new Set(OPTION_SCHEMA.map(({ name }) => name.split('.')[0]))

/** Fields of a ProducerConfig that have an option's name. */
const SHARED_NAMES: ReadonlySet<string> = new Set<keyof ProducerConfig>([
  'createPartitioner',
  'retry',
  'idempotent',
  'transactionalId',
])

const GROUPS = new Set(['retry', 'metadataRetry', 'topics'])

const combined = (above: unknown = {}, below: unknown = {}): ResilientProducerOptions => {
  if (!isObject(above) || !isObject(below)) throw new InvalidOptionsError(['the options must be an object'])
  const groups = [...GROUPS].filter(name => isObject(above[name]) && isObject(below[name]))
  return {
    ...defined(below),
    ...defined(above),
    ...Object.fromEntries(
      groups.map(name => [
        name,
        { ...defined(below[name] as PlainObject), ...defined(above[name] as PlainObject) },
      ]),
    ),
  }
}

const topicsOf = (
  topics: TopicPolicyOptions,
  allowAutoTopicCreation: boolean | undefined,
  ofEnvironment: ClientSources['create'],
): TopicPolicyOptions => {
  if (typeof allowAutoTopicCreation === 'boolean')
    return withCreation(topics, allowAutoTopicCreation ? 'broker' : 'never')
  return topics.create === undefined ? { ...topics, ...defined({ create: ofEnvironment?.() }) } : topics
}

/** For every topic: kafkajs's flag knows no rules. */
const withCreation = (topics: TopicPolicyOptions, create: TopicCreation): TopicPolicyOptions => ({
  ...topics,
  create,
  ...(Array.isArray(topics.rules) && {
    rules: topics.rules.map((rule: TopicRule) => (isObject(rule) ? { ...rule, create } : rule)),
  }),
})

const unlessWrong = <T extends object, R>(group: T | undefined, combine: (group: T) => R): T | R =>
  group !== undefined && !isObject(group) ? group : combine(group ?? ({} as T))
