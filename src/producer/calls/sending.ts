import type { Message, ProducerBatch, ProducerRecord, RecordMetadata } from 'kafkajs'
import type { DeliveryClass } from '../../delivery/batch/deliveryClass.js'
import type { CallWatch } from '../../delivery/calls/callWatch.js'
import { MultiSend } from '../../delivery/calls/multiSend.js'
import { SingleSend } from '../../delivery/calls/singleSend.js'
import type { DeliveryEngine } from '../../delivery/engine.js'
import { CallLinks } from '../../delivery/waiting/callLinks.js'
import type { SendCompletion } from '../../delivery/waiting/sendCompletion.js'
import { NonRetriableError } from '../../errors/bases.js'
import { SendAbortedError } from '../../errors/index.js'
import { quoted } from '../../util/printable.js'
import type { CallOptions, DeliveryClasses } from '../checks/deliveryClasses.js'
import { type TopicNames, takeMessage } from '../checks/validate.js'

import type { ProducerSettings } from '../options/options.js'
import type { Abortable } from '../types.js'
import { onAbort } from './abortListeners.js'
import type { RefusedCalls } from './refusedCalls.js'
import { watchOf } from './watchedCalls.js'

/** Where the records of a call go. */
interface SendTarget {
  readonly engine: DeliveryEngine
  readonly classes: DeliveryClasses
}

export interface SendRoute {
  /** If calls are taken now. */
  readonly live: SendTarget | undefined
  /** @throws why no calls are taken now */
  readonly connected: SendTarget
}

interface TopicMessages {
  readonly topic: string
  readonly messages: readonly Message[]
}

/** `send` and `sendBatch`: what is wrong with a call rejects it before anything of it is accepted. */
export class Sending {
  private readonly route: SendRoute
  private readonly settings: ProducerSettings
  private readonly topicNames: TopicNames
  private readonly refused: RefusedCalls

  /** @param refused counts the records of calls that are refused at once */
  constructor(route: SendRoute, settings: ProducerSettings, topicNames: TopicNames, refused: RefusedCalls) {
    this.route = route
    this.settings = settings
    this.topicNames = topicNames
    this.refused = refused
  }

  send(record: ProducerRecord & Abortable): Promise<RecordMetadata[]> {
    try {
      return this.sendOne(record) ?? this.sendAll([record], record, record.signal)
    } catch (error) {
      this.refused.count([record], error)
      return Promise.reject(error)
    }
  }

  sendBatch(batch: ProducerBatch & Abortable): Promise<RecordMetadata[]> {
    try {
      return this.sendAll(batch.topicMessages ?? [], batch, batch.signal)
    } catch (error) {
      this.refused.count(batch?.topicMessages, error)
      return Promise.reject(error)
    }
  }

  /** The common case: one message for a known topic. Undefined when it is not that. */
  private sendOne(record: ProducerRecord & Abortable): Promise<RecordMetadata[]> | undefined {
    const { live } = this.route
    if (live === undefined || watchOf(record) !== undefined) return undefined
    const { topic, messages, acks, signal } = record
    const known = live.engine.topic(topic)
    const isCommon =
      known !== undefined &&
      signal === undefined &&
      (acks === undefined || acks === -1) &&
      Array.isArray(messages) &&
      messages.length === 1
    if (!isCommon) return undefined
    const message = takeMessage(topic, messages[0]!, 0, this.settings)
    return live.engine.sendOne(known, message, live.classes.of(record))
  }

  /** @throws what is wrong with the call */
  private sendAll(
    given: readonly TopicMessages[],
    options: CallOptions,
    signal: AbortSignal | undefined,
  ): Promise<RecordMetadata[]> {
    const { topics, count } = this.take(given, options)
    // Found later, it would reject a call whose records are on their way.
    if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
      throw new NonRetriableError('signal must be an AbortSignal')
    }
    const { engine, classes } = this.route.connected
    const deliveryClass = classes.of(options)
    if (signal?.aborted) throw new SendAbortedError(topics[0]?.topic ?? '', { cause: signal.reason })
    if (count === 0) return Promise.resolve([])
    const watch = watchOf(options)
    if (signal !== undefined) return sendAbortable(engine, topics, count, deliveryClass, signal, watch)
    return new Promise((resolve, reject) => {
      const call = callOf(count, resolve, reject, undefined, watch)
      for (const { topic, messages } of topics) {
        if (messages.length > 0) engine.submit(topic, messages, call, deliveryClass)
      }
    })
  }

  /**
   * Checks a call in kafkajs's order. The messages of a topic that is named twice follow each other, as in kafkajs.
   *
   * @throws what is wrong with the call
   */
  private take(
    given: readonly TopicMessages[],
    { acks }: CallOptions,
  ): { readonly topics: readonly TopicMessages[]; readonly count: number } {
    for (const { topic } of given) if (!topic) throw new NonRetriableError('Invalid topic')
    if (this.settings.idempotent === true && acks !== undefined && acks !== -1) {
      throw new NonRetriableError(
        "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      )
    }
    const taken = new Map<string, Message[]>()
    let count = 0
    for (const { topic, messages } of given) {
      if (!Array.isArray(messages)) {
        const shown = messages == null ? String(messages) : `a ${typeof messages}`
        throw new NonRetriableError(`Invalid messages array [${shown}] for topic ${quoted(String(topic))}`)
      }
      this.topicNames.check(topic)
      // The index that errors name counts over all messages of the topic, as in SendError.
      const former = taken.get(topic) ?? []
      count -= former.length
      const ofTopic = this.takeMessages(topic, messages, former)
      count += ofTopic.length
      taken.set(topic, ofTopic)
    }
    return { topics: Array.from(taken, ([topic, messages]) => ({ topic, messages })), count }
  }

  private takeMessages(topic: string, messages: readonly Message[], former: Message[]): Message[] {
    const { length } = messages
    const from = former.length
    // Of its full length from the start, which spares the copies of one that grows.
    const taken = from === 0 ? new Array<Message>(length) : former
    for (let i = 0; i < length; i++)
      taken[from + i] = takeMessage(topic, messages[i]!, from + i, this.settings)
    return taken
  }
}

/** Only what has to be gathered, or is watched, takes more than the least. */
const callOf = (
  count: number,
  resolve: (result: RecordMetadata[]) => void,
  reject: (error: Error) => void,
  links: CallLinks | undefined,
  watch: CallWatch | undefined,
): SendCompletion =>
  count === 1 && watch === undefined
    ? new SingleSend(resolve, reject, links)
    : new MultiSend(count, resolve, reject, links, watch)

const sendAbortable = (
  engine: DeliveryEngine,
  topics: readonly TopicMessages[],
  count: number,
  deliveryClass: DeliveryClass,
  signal: AbortSignal,
  watch: CallWatch | undefined,
): Promise<RecordMetadata[]> => {
  let stopListening = (): void => {}
  const result = new Promise<RecordMetadata[]>((resolve, reject) => {
    const links = new CallLinks()
    const call = callOf(count, resolve, reject, links, watch)
    // Before the records are taken: a user's partitioner may abort the signal.
    stopListening = onAbort(signal, () => engine.abortUnsent(links, topics[0]!.topic, signal.reason))
    for (const { topic, messages } of topics) {
      if (messages.length > 0) engine.submit(topic, messages, call, deliveryClass)
    }
  })
  return result.finally(() => stopListening())
}
