import type { ProducerSettings } from '../../../producer/options/options.js'
import type { TopicSettings } from '../../../topics/policy/policy.js'
import type { Setting } from '../../cluster/client.js'

export interface ApiRange {
  readonly apiKey: number
  readonly minVersion: number
  readonly maxVersion: number
}

/** A broker's own settings, or why they are not known. */
export type BrokerSettings =
  | { readonly values: ReadonlyMap<string, Setting> }
  | { readonly refusal: string; readonly code: number | undefined }

/** What was met at an address. */
export type Visited =
  | { readonly address: string; readonly unreachable: string; readonly remedy?: string | undefined }
  | {
      readonly address: string
      /** Null where the broker does not tell it, or is too old to be asked. */
      readonly clusterId: string | null
      readonly apis: readonly ApiRange[]
    }

export interface Broker {
  readonly nodeId: number
  /** As it advertises itself: `host:port`. */
  readonly visited: Visited
  /** Undefined when it was not reached. */
  readonly settings: BrokerSettings | undefined
}

/** A broker's answer: 0, or its error with its own words. */
export interface Answer {
  readonly code: number
  readonly words: string
}

export interface PartitionFacts {
  readonly index: number
  readonly leader: number
  readonly replicas: number
  readonly inSync: number
}

export interface TopicFacts {
  readonly name: string
  /** Of Metadata. */
  readonly answer: Answer
  readonly partitions: readonly PartitionFacts[]
  /** The operations allowed here, as bits of AclOperation; undefined: not told. */
  readonly operations: number | undefined
  /** Its own settings; undefined: it is missing or they are not told. */
  readonly settings: ReadonlyMap<string, Setting> | undefined
  readonly policy: TopicSettings
  /** What CreateTopics with validateOnly says of a missing one; undefined: not asked, or no answer. */
  readonly creation: Answer | undefined
}

export interface Clock {
  /** The controller's clock less this machine's. ms */
  readonly aheadMs: number
  /** Half of the time that the question took. ms */
  readonly uncertaintyMs: number
}

/** All that was asked; the judges look at nothing else. */
export interface Facts {
  /** The addresses that were given. */
  readonly seeds: readonly Visited[]
  readonly brokers: readonly Broker[]
  readonly topic: TopicFacts | undefined
  /** Of InitProducerId; undefined: there is no such request. */
  readonly producerId: Answer | undefined
  /** Or why it is not known. */
  readonly clock: Clock | string
  /** Of the producer, by the configuration file and the environment. */
  readonly settings: ProducerSettings
}

export const isReached = (visited: Visited): visited is Extract<Visited, { readonly apis: unknown }> =>
  'apis' in visited

/** A setting of every broker that told it, by node id. */
export const settingOf = ({ brokers }: Pick<Facts, 'brokers'>, name: string): ReadonlyMap<number, string> =>
  new Map(
    brokers.flatMap(({ nodeId, settings }) => {
      const value = settings && 'values' in settings ? settings.values.get(name)?.value : undefined
      return typeof value === 'string' ? [[nodeId, value]] : []
    }),
  )

/** The least of a number over all brokers that told it. */
export const leastOf = (facts: Pick<Facts, 'brokers'>, name: string): number | undefined => {
  const values = [...settingOf(facts, name).values()].map(Number)
  return values.length > 0 ? Math.min(...values) : undefined
}

/** A number of the topic itself, else of the brokers. */
export const topicNumber = (facts: Facts, ofTopic: string, ofBroker: string): number | undefined => {
  const own = facts.topic?.settings?.get(ofTopic)?.value
  return typeof own === 'string' ? Number(own) : leastOf(facts, ofBroker)
}
