import type { ProducerBatch, ProducerRecord, RecordMetadata, TopicMessages } from 'kafkajs'
import type { CallWatch } from '../../delivery/calls/callWatch.js'
import type { AttemptLog } from '../../delivery/owners/attemptLog.js'
import { SendError } from '../../errors/index.js'
import { watching } from '../../producer/calls/watchedCalls.js'
import type { Abortable } from '../../producer/types.js'
import { defined } from '../../util/plainObject.js'
import type { Placement, TracedMessage, Tracing } from '../tracing.js'
import { isTraceable } from './traceable.js'

type Send<Call> = (call: Call) => Promise<RecordMetadata[]>

/** `placement`: where the spans of a call belong that is made now; default: under the active context. */
export const tracedSend =
  (tracing: Tracing, send: Send<ProducerRecord>, placement?: () => Placement): Send<ProducerRecord> =>
  record => {
    const spans = new CallSpans(tracing, placement?.())
    return spans.follow(() => send(spans.told(spans.started(record))))
  }

export const tracedSendBatch =
  (tracing: Tracing, sendBatch: Send<ProducerBatch>, placement?: () => Placement): Send<ProducerBatch> =>
  batch => {
    const spans = new CallSpans(tracing, placement?.())
    const topicMessages = batch?.topicMessages
    if (!Array.isArray(topicMessages)) return sendBatch(batch)
    return spans.follow(() => {
      const traced = topicMessages.map(each => spans.started(each))
      return sendBatch(spans.told({ ...optionsOf(batch), topicMessages: traced }))
    })
  }

/** A call may be of a class whose fields are accessors, which a copy of its own fields would lose. */
const optionsOf = <Call extends object>(call: Call): Call => {
  const { acks, timeout, compression, signal } = call as Partial<ProducerBatch> & Abortable
  return { ...call, ...defined({ acks, timeout, compression, signal }) }
}

type Slot = TracedMessage | undefined

/** The spans of one call: each ends as its own message did. */
class CallSpans implements CallWatch {
  readonly #tracing: Tracing
  readonly #placement: Placement | undefined
  /** By topic, at the message's index as {@link SendError} counts it: a topic that is named twice has its messages in one row. */
  readonly #slots = new Map<string, Slot[]>()
  #isRecorded = false

  constructor(tracing: Tracing, placement: Placement | undefined) {
    this.#tracing = tracing
    this.#placement = placement
  }

  /** Starts the spans of these messages. What cannot be sent is passed on for the producer to refuse. */
  started<T extends ProducerRecord | TopicMessages>(given: T): T {
    if (typeof given !== 'object' || given === null) return given
    const { topic, messages } = given
    if (!Array.isArray(messages) || typeof topic !== 'string') return given
    const slots = this.#slots.get(topic) ?? []
    this.#slots.set(topic, slots)
    const traced = Array.from(messages, message => {
      const slot = isTraceable(topic, message)
        ? this.#tracing.startMessage(topic, message, this.#placement)
        : undefined
      slots.push(slot)
      if (slot?.journey !== undefined) this.#isRecorded = true
      return slot?.message ?? message
    })
    return { ...optionsOf(given), topic, messages: traced }
  }

  /** The call, which tells the spans where its messages are, if any of them is recorded. */
  told<Call>(call: Call): Call {
    if (this.#isRecorded) watching(call as object, this)
    return call
  }

  placed(topic: string, index: number, partition: number): void {
    this.#slots.get(topic)?.[index]?.journey?.placed(topic, index, partition)
  }

  ended(topic: string, indexes: readonly number[], log: AttemptLog | undefined): void {
    for (const index of indexes) this.#slots.get(topic)?.[index]?.journey?.ended(topic, indexes, log)
  }

  async follow(send: () => Promise<RecordMetadata[]>): Promise<RecordMetadata[]> {
    try {
      const results = await send()
      this.#succeeded(results)
      return results
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  #succeeded(results: readonly RecordMetadata[]): void {
    for (const [topic, slots] of this.#slots) {
      const places = results.filter(each => each.topicName === topic)
      // Over several partitions the results do not say which message went where, and only the first one's offset is told.
      const place = places.length === 1 ? places[0] : undefined
      const offset = slots.length === 1 ? place?.baseOffset : undefined
      for (const slot of slots) slot?.ended(null, { partition: place?.partition, offset })
    }
  }

  #failed(error: unknown): void {
    if (error instanceof SendError) {
      for (const { topic, partition, messageIndexes, error: cause } of error.failed) {
        for (const index of messageIndexes) this.#slots.get(topic)?.[index]?.ended(cause, { partition })
      }
      this.#succeeded(error.acknowledged)
    } else {
      for (const slots of this.#slots.values()) for (const slot of slots) slot?.ended(error)
    }
  }
}
