import { types } from 'node:util'
import type { IResourceConfigEntry } from 'kafkajs'
import { messageOf, NonRetriableError, place } from '../../errors/bases.js'
import { isObject } from '../../util/plainObject.js'
import { globMatcher } from './glob.js'
import { checkRule, checkSettings } from './policyCheck.js'

/** The values of {@link TopicCreation}. */
export const TOPIC_CREATIONS = ['broker', 'admin', 'never'] as const

/**
 * Who may create a topic that does not exist: `broker`, by auto-creation; `admin`, this client by CreateTopics; `never`, somebody else.
 */
export type TopicCreation = (typeof TOPIC_CREATIONS)[number]

/** What holds for a topic. */
export interface TopicSettings {
  /**
   * Who creates the topic. `broker`: brokers do when its metadata is asked for with `allow_auto_topic_creation` (they need
   * `auto.create.topics.enable`). `admin`: this client does, by CreateTopics (KIP-4). `never`: somebody else.
   *
   * @defaultValue 'broker'
   * @example { create: 'admin', partitions: 6, replicationFactor: 3 }
   */
  readonly create: TopicCreation
  /**
   * With `never`: how long to wait for somebody else to create it, in ms; 0 fails at once, with {@link UnknownTopicError}.
   *
   * @defaultValue 1000 ms
   */
  readonly waitForMs: number
  /**
   * With `admin`: the number of partitions; -1 is the brokers' `num.partitions`.
   *
   * @defaultValue -1
   */
  readonly partitions: number
  /**
   * With `admin`: the number of replicas of each partition; -1 is the brokers' `default.replication.factor`.
   *
   * @defaultValue -1
   */
  readonly replicationFactor: number
  /**
   * With `admin`: the topic's configuration.
   *
   * @defaultValue none
   * @example { create: 'admin', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] }
   */
  readonly configEntries: readonly IResourceConfigEntry[]
}

/**
 * Which topics a rule is for: a name, a glob with `*`, a regular expression, or a predicate. Where a predicate throws, sends to that topic fail
 * with its error as the cause.
 */
export type TopicMatch = string | RegExp | ((topic: string) => boolean)

/** Settings of which each may be left out. */
type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

/** Settings for the topics that match. */
export interface TopicRule extends Given<TopicSettings> {
  /**
   * The topics that the rule is for. Required.
   *
   * @example { match: 'tenant-*', create: 'admin', partitions: 6 }
   */
  readonly match: TopicMatch
}

/** The option `topics`: what holds for all topics, and rules for some of them. */
export interface TopicPolicyOptions extends Given<TopicSettings> {
  /**
   * The first rule that matches overrides the settings beside it.
   *
   * @defaultValue none
   * @example { rules: [{ match: 'audit.*', create: 'admin' }, { match: /^internal-/, create: 'never' }] }
   */
  readonly rules?: readonly TopicRule[] | undefined
}

/** The settings of each topic. */
export interface TopicPolicy {
  policyFor(topic: string): TopicSettings
}

export const DEFAULT_TOPIC_SETTINGS: TopicSettings = {
  create: 'broker',
  waitForMs: 1000,
  partitions: -1,
  replicationFactor: -1,
  configEntries: [],
}

/** What is wrong with the option `topics`; empty when nothing is. */
export const topicPolicyProblems = (options: unknown): readonly string[] => {
  if (!isObject(options)) return ['topics must be an object']
  const { rules, ...settings } = options
  const problems = checkSettings('topics', settings)
  if (rules === undefined) return problems
  if (!Array.isArray(rules)) return [...problems, 'topics.rules must be an array']
  return [...problems, ...rules.flatMap((rule, index) => checkRule(`topics.rules[${index}]`, rule))]
}

/** Compiles options without problems. */
export const compileTopicPolicy = (options: TopicPolicyOptions = {}): TopicPolicy => {
  const { rules = [], ...own } = options
  const settings = override(DEFAULT_TOPIC_SETTINGS, own)
  const compiled = rules.map(({ match, ...overrides }, index) => ({
    matches: typeof match === 'function' ? guarded(match, `topics.rules[${index}].match`) : matcher(match),
    settings: override(settings, overrides),
  }))
  return { policyFor: topic => compiled.find(rule => rule.matches(topic))?.settings ?? settings }
}

const override = (settings: TopicSettings, overrides: Given<TopicSettings>): TopicSettings => ({
  ...settings,
  ...Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined)),
})

/** What a user's function throws ends the sends to that topic, and should say where it comes from. */
const guarded =
  (match: (topic: string) => boolean, option: string) =>
  (topic: string): boolean => {
    try {
      return match(topic)
    } catch (cause) {
      throw new NonRetriableError(`${option} threw for ${place(topic)}: ${messageOf(cause)}`, {
        topic,
        outcome: 'not-written',
        cause,
      })
    }
  }

const matcher = (match: string | RegExp): ((topic: string) => boolean) => {
  // A pattern with the flag g or y remembers where it matched last: `test` would answer by turns.
  if (types.isRegExp(match)) return topic => topic.search(match) >= 0
  return globMatcher(match)
}
