import type { Message } from 'kafkajs'
import { TakenMessage, takenMessage } from '../../delivery/intake/takenMessage.js'
import { NonRetriableError } from '../../errors/bases.js'
import { InvalidMessageError, InvalidTopicError, RecordTooLargeError } from '../../errors/index.js'
import { RecordMeasure } from '../../protocol/records/measure.js'
import { topicNameProblem } from '../../topics/policy/name.js'
import { printable, quoted } from '../../util/printable.js'
import { REQUEST_FRAME_BYTES } from '../options/engineSettings.js'
import { isData, TakenHeaders, takePartition, takeTimestamp } from './messageFields.js'
import { withOwnFields } from './takenMessage.js'

/** Above this a message's exact size is taken at the call. bytes */
const LOOK_CLOSER_BYTES = 65536

const measure = new RecordMeasure()
const takenHeaders = new TakenHeaders()

export interface MessageLimits {
  readonly requestBytes: number
  readonly bufferBytes: number
  /** A partitioner made for kafkajs, which may look at any field of a message. */
  readonly createPartitioner?: unknown
}

/** Bounded: names that are used once only must not pile up. A name is checked in a fraction of a microsecond. */
const KNOWN_NAMES = 1000

/** The topic names that were found valid. */
export class TopicNames {
  private readonly known = new Set<string>()

  /** @throws {InvalidTopicError} */
  check(topic: string): void {
    if (this.known.has(topic)) return
    const problem = typeof topic === 'string' ? topicNameProblem(topic) : 'it is not a string'
    if (problem !== undefined) throw new InvalidTopicError(String(topic), problem)
    if (this.known.size < KNOWN_NAMES) this.known.add(topic)
  }
}

/**
 * Takes a message for the producer, or refuses one that cannot become a record, with kafkajs's words where kafkajs has some.
 *
 * @returns a copy, with each field as it was read here, once
 * @throws {InvalidMessageError} {RecordTooLargeError} {NonRetriableError}
 */
export const takeMessage = (
  topic: string,
  message: Message,
  index: number,
  limits: MessageLimits,
): Message => {
  if (typeof message !== 'object' || message === null) {
    throw new InvalidMessageError(topic, index, 'it is not an object')
  }
  const { key, value } = message
  if (value === undefined) {
    const problem = 'Invalid message without value for topic'
    throw new NonRetriableError(`${problem} ${quoted(topic)}: ${shown(message)}`, {
      topic,
      outcome: 'not-written',
    })
  }
  if (!isData(value)) throw new InvalidMessageError(topic, index, 'value must be a Buffer, a string or null')
  if (key !== undefined && !isData(key))
    throw new InvalidMessageError(topic, index, 'key must be a Buffer, a string or null')
  const given = message.partition
  const partition = given === undefined ? undefined : takePartition(topic, index, given)
  let roughBytes = lengthOf(value) + lengthOf(key)
  let headers = message.headers ?? undefined
  if (headers !== undefined) {
    headers = takenHeaders.of(topic, index, headers)
    roughBytes += takenHeaders.roughLength
  }
  const givenTime = message.timestamp
  const timestamp = givenTime ? takeTimestamp(topic, index, givenTime) : undefined
  // A partitioner made for kafkajs may keep what it is shown.
  const isShown = limits.createPartitioner !== undefined
  const taken = isShown
    ? new TakenMessage(key, value, partition, headers, timestamp)
    : takenMessage(key, value, partition, headers, timestamp)
  // A string has at most three bytes per character.
  if (
    roughBytes > LOOK_CLOSER_BYTES ||
    roughBytes * 4 > limits.bufferBytes ||
    roughBytes * 4 + REQUEST_FRAME_BYTES > limits.requestBytes
  ) {
    checkSize(topic, taken as Message, limits)
  }
  return isShown ? withOwnFields(taken, message) : (taken as Message)
}

const SHOWN_CHARACTERS = 500

const SHOWN_FIELDS: ReadonlySet<string> = new Set(['key', 'partition', 'timestamp'])

/** Up to here a value under a misspelt name is shown: too short to be a secret. characters */
const SHOWN_VALUE_CHARACTERS = 8

const isShort = (value: unknown): boolean =>
  typeof value !== 'object' && String(value).length <= SHOWN_VALUE_CHARACTERS

/** As kafkajs shows it, but for what headers and long fields of other names hold: credentials, or a value under a misspelt name. */
const shown = (message: Message): string => {
  const field = ([name, value]: [string, unknown]): [string, unknown] => {
    if (value === undefined || SHOWN_FIELDS.has(name) || isShort(value)) return [name, value]
    if (name !== 'headers' || typeof value !== 'object' || value === null) return [name, '...']
    return [name, Object.fromEntries(Object.keys(value).map(each => [each, '...']))]
  }
  const plain = (_name: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
  try {
    const fields = Object.fromEntries(Object.entries(message).map(field))
    return printable(JSON.stringify(fields, plain).slice(0, SHOWN_CHARACTERS))
  } catch {
    return 'a message that cannot be shown'
  }
}

const lengthOf = (value: Uint8Array | string | null | undefined): number => value?.length ?? 0

const checkSize = (topic: string, message: Message, { requestBytes, bufferBytes }: MessageLimits): void => {
  const { recordBytes } = measure.of(message)
  if (recordBytes > requestBytes - REQUEST_FRAME_BYTES) {
    throw new RecordTooLargeError(
      topic,
      `It is above requestBytes (${requestBytes}, of which ${REQUEST_FRAME_BYTES} are kept for what stands around a record): make it smaller, or raise that and the brokers' socket.request.max.bytes.`,
      { recordBytes },
    )
  }
  if (recordBytes > bufferBytes) {
    throw new RecordTooLargeError(topic, `It is above bufferBytes (${bufferBytes}): raise that.`, {
      recordBytes,
    })
  }
}
