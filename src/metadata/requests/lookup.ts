import type { MetadataTrigger } from '../../metrics/observer.js'
import type { TopicAnswer } from './answer.js'
import type { Ask, AskOwner, MetadataAnswer, Pace } from './refreshQueue.js'

export interface LookupOptions {
  /** Whether the broker may create the topic (allow_auto_topic_creation). */
  readonly create: boolean
  readonly trigger: MetadataTrigger
  /** From 1, for the log. Default 1. */
  readonly attempt?: number
  /** Default `at-once`. */
  readonly pace?: Pace
  /** The broker to ask only when no other answers. */
  readonly avoidNode?: number | undefined
  /** Withdraws the ask as long as no request carries it. */
  readonly signal?: AbortSignal
}

/** An ask whose answer is a promise. */
export class Lookup implements Ask {
  readonly name: string
  readonly trigger: MetadataTrigger
  readonly attempt: number
  readonly pace: Pace
  readonly avoidNode: number | undefined
  readonly owner = promises
  readonly resolve: (answer: TopicAnswer) => void
  readonly reject: (error: unknown) => void

  constructor(
    name: string,
    { trigger, attempt = 1, pace = 'at-once', avoidNode }: LookupOptions,
    resolve: (answer: TopicAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    this.name = name
    this.trigger = trigger
    this.attempt = attempt
    this.pace = pace
    this.avoidNode = avoidNode
    this.resolve = resolve
    this.reject = reject
  }
}

const promises: AskOwner = {
  answered(asks, { topics }: MetadataAnswer) {
    for (const ask of asks) (ask as Lookup).resolve(topics.get(ask.name)!)
  },
  failed(asks, error) {
    for (const ask of asks) (ask as Lookup).reject(error)
  },
}
