import { types } from 'node:util'
import type { IResourceConfigEntry } from 'kafkajs'
import { messageOf, NonRetriableError, place } from '../../errors/bases.js'
import { isObject } from '../../util/plainObject.js'
import { globMatcher } from './glob.js'
import { checkRule, checkSettings } from './policyCheck.js'

export const TOPIC_CREATIONS = ['broker', 'admin', 'never'] as const

/** Who may create a topic that does not exist. */
export type TopicCreation = (typeof TOPIC_CREATIONS)[number]

export interface TopicSettings {
  /**
   * `broker`: by asking for its metadata with the creation flag (needs `auto.create.topics.enable`). `admin`: by
   * CreateTopics. `never`: by somebody else. Default `broker`.
   */
  readonly create: TopicCreation
  /** `never`: how long to wait for somebody else to create it; 0 fails at once. Default 1000 ms. */
  readonly waitForMs: number
  /** `admin`: -1 is the broker's default. Default -1. */
  readonly partitions: number
  /** `admin`: -1 is the broker's default. Default -1. */
  readonly replicationFactor: number
  /** `admin`: the topic's configuration. Default none. */
  readonly configEntries: readonly IResourceConfigEntry[]
}

/** A name, a glob with `*`, a pattern, or a predicate. */
export type TopicMatch = string | RegExp | ((topic: string) => boolean)

type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }

export interface TopicRule extends Given<TopicSettings> {
  readonly match: TopicMatch
}

/** The option `topics`. */
export interface TopicPolicyOptions extends Given<TopicSettings> {
  /** The first rule that matches overrides the settings above. */
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
