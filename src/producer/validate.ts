import type { IHeaders, Message } from 'kafkajs'
import { NonRetriableError } from '../errors/bases.js'
import { InvalidMessageError, InvalidTopicError, RecordTooLargeError } from '../errors/index.js'
import { printable, quoted } from '../errors/printable.js'
import { RecordMeasure } from '../protocol/records/measure.js'
import { topicNameProblem } from '../topics/name.js'

/** Above this a message's exact size is taken at the call. bytes */
const LOOK_CLOSER_BYTES = 65536

const measure = new RecordMeasure()

export interface MessageLimits {
  readonly requestBytes: number
  readonly bufferBytes: number
}

/** Bounded: names that are used once only must not pile up. */
const KNOWN_NAMES = 100_000

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

const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

const isData = (value: unknown): boolean => typeof value === 'string' || value === null || isBytes(value)

/**
 * Refuses a message that cannot become a record, with kafkajs's words where kafkajs has some.
 *
 * @throws {InvalidMessageError} {RecordTooLargeError} {NonRetriableError}
 */
export const checkMessage = (topic: string, message: Message, index: number, limits: MessageLimits): void => {
  if (typeof message !== 'object' || message === null) {
    throw new InvalidMessageError(topic, index, 'it is not an object')
  }
  const { key, value, partition, headers, timestamp } = message
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
  if (partition !== undefined && partition !== null && !(Number.isInteger(partition) && partition >= 0)) {
    throw new InvalidMessageError(topic, index, 'partition must be a whole number of at least 0')
  }
  let roughBytes = lengthOf(value) + lengthOf(key)
  if (headers !== undefined && headers !== null) roughBytes += checkHeaders(topic, index, headers)
  if (timestamp) checkTimestamp(topic, index, timestamp)
  // A string has at most three bytes a character.
  if (roughBytes > LOOK_CLOSER_BYTES || roughBytes * 4 > limits.bufferBytes) checkSize(topic, message, limits)
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

/** Returns about how long they are. */
const checkHeaders = (topic: string, index: number, headers: IHeaders): number => {
  if (typeof headers !== 'object') throw new InvalidMessageError(topic, index, 'headers must be an object')
  let length = 0
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined && !isData(value) && !(Array.isArray(value) && value.every(isData))) {
      const shown = quoted(name)
      throw new InvalidMessageError(
        topic,
        index,
        `the header ${shown} must be a Buffer, a string, or an array of those`,
      )
    }
    length += name.length + 8
    if (Array.isArray(value)) for (const each of value) length += name.length + 8 + lengthOf(each)
    else length += lengthOf(value)
  }
  return length
}

const checkTimestamp = (topic: string, index: number, timestamp: unknown): void => {
  if (Number.isSafeInteger(Number(timestamp)) && typeof timestamp !== 'object') return
  throw new InvalidMessageError(
    topic,
    index,
    'timestamp must be a whole number of ms since the epoch, as a string',
  )
}

const checkSize = (topic: string, message: Message, { requestBytes, bufferBytes }: MessageLimits): void => {
  const { recordBytes } = measure.of(message)
  if (recordBytes > requestBytes) {
    throw new RecordTooLargeError(topic, `It is above requestBytes (${requestBytes}).`, { recordBytes })
  }
  if (recordBytes > bufferBytes) {
    throw new RecordTooLargeError(topic, `It is above bufferBytes (${bufferBytes}): raise that.`, {
      recordBytes,
    })
  }
}
