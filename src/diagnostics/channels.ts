import { channel } from 'node:diagnostics_channel'
import { failureType } from '../metadata/retry/failure.js'
import type { ConnectOutcome, ProducerObserver, TopicCreator } from '../metrics/observer.js'
import type { WaitListener, WaitRegistry } from '../waits/registry.js'
import type { Wait, WaitEnd, WaitKind, WaitSubject } from '../waits/wait.js'

/** `kafkajs-resilient-producer:batch`: a batch was acknowledged. */
export interface BatchMessage {
  /** The batch's topic. */
  readonly topic: string
  /** How many records the batch has. */
  readonly records: number
  /** The time from the call with the batch's first record to the acknowledgement, in ms. */
  readonly elapsedMs: number
}

/** `kafkajs-resilient-producer:failure`: records ended with an error. */
export interface FailureMessage {
  /** The records' topic. */
  readonly topic: string
  /** How many records failed together. */
  readonly records: number
  /** The name of the error's class. */
  readonly error: string
}

/** `kafkajs-resilient-producer:retry`: a batch is sent in a further request. */
export interface RetryMessage {
  /** The batch's topic. */
  readonly topic: string
  /** How many records the batch has. */
  readonly records: number
  /** Kafka's name of the error, or the class of the error that ended the request. */
  readonly reason: string
}

/** `kafkajs-resilient-producer:wait`: a wait began, goes on for another reason, or ended. */
export interface WaitMessage extends WaitSubject {
  /** `over`: what was waited for came; `given-up`: nobody waits for it any more. */
  readonly state: 'began' | 'changed' | WaitEnd
  /** What is waited for: the values of the metric `records_waiting`. */
  readonly for: WaitKind
  /** What was waited for when it began. */
  readonly began: WaitKind
  /** How long it has lasted, in ms. */
  readonly waitedMs: number
  /** Kafka's name of the last error, or its class. */
  readonly error?: string
  /** The last error's message. */
  readonly message?: string
}

/** `kafkajs-resilient-producer:topic-created`: a topic appeared that records had asked for. */
export interface TopicCreatedMessage {
  /** The new topic. */
  readonly topic: string
  /** Who created it: a broker, when its metadata was asked for, or this client by CreateTopics. */
  readonly by: TopicCreator
}

/** `kafkajs-resilient-producer:connection`: an attempt to connect to a broker for produce requests ended. */
export interface ConnectionMessage {
  /** The broker's node id. */
  readonly broker: number
  /** How the attempt ended; `authentication_failed` where the login was refused. */
  readonly outcome: ConnectOutcome
}

const PREFIX = 'kafkajs-resilient-producer:'
const batches = channel(`${PREFIX}batch`)
const failures = channel(`${PREFIX}failure`)
const retries = channel(`${PREFIX}retry`)
const waits = channel(`${PREFIX}wait`)
const topics = channel(`${PREFIX}topic-created`)
const connections = channel(`${PREFIX}connection`)

/** The observer, whose reports go to the channels too. While nobody subscribes, a report costs one look at a property. */
export const publishing = (observer: ProducerObserver): ProducerObserver => ({
  ...observer,
  batchDelivered(topic, records, elapsedMs) {
    if (batches.hasSubscribers) batches.publish({ topic, records, elapsedMs } satisfies BatchMessage)
    observer.batchDelivered(topic, records, elapsedMs)
  },
  recordsFailed(topic, records, error) {
    if (failures.hasSubscribers) failures.publish({ topic, records, error } satisfies FailureMessage)
    observer.recordsFailed(topic, records, error)
  },
  recordsRetried(topic, records, reason) {
    if (retries.hasSubscribers) retries.publish({ topic, records, reason } satisfies RetryMessage)
    observer.recordsRetried(topic, records, reason)
  },
  topicCreated(topic, by, topicId) {
    if (topics.hasSubscribers) topics.publish({ topic, by } satisfies TopicCreatedMessage)
    observer.topicCreated(topic, by, topicId)
  },
  connectEnded(broker, outcome) {
    if (connections.hasSubscribers) connections.publish({ broker, outcome } satisfies ConnectionMessage)
    observer.connectEnded(broker, outcome)
  },
})

/** Publishes what the registry tells. */
export class WaitPublisher implements WaitListener {
  private readonly registry: WaitRegistry

  constructor(registry: WaitRegistry) {
    this.registry = registry
    registry.listen(this)
  }

  began(wait: Wait): void {
    if (waits.hasSubscribers) waits.publish(this.messageOf(wait, 'began'))
  }

  changed(wait: Wait): void {
    if (waits.hasSubscribers) waits.publish(this.messageOf(wait, 'changed'))
  }

  ended(wait: Wait, how: WaitEnd): void {
    if (waits.hasSubscribers) waits.publish(this.messageOf(wait, how))
  }

  private messageOf(wait: Wait, state: WaitMessage['state']): WaitMessage {
    const { error } = wait
    return {
      state,
      for: wait.kind,
      began: wait.firstKind,
      ...wait.subject,
      waitedMs: this.registry.clock.now() - wait.since,
      ...(error !== undefined && { error: failureType(error), message: error.message }),
    }
  }
}
