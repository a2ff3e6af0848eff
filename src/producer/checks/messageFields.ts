import type { IHeaders, Message } from 'kafkajs'
import { partitionNumber } from '../../delivery/partitioning/partitioner.js'
import { InvalidMessageError } from '../../errors/index.js'
import { quoted } from '../../util/printable.js'
import { isBytes } from '../../util/realms.js'

/** Whether it can be a record's key or value. */
export const isData = (value: unknown): value is Message['value'] =>
  typeof value === 'string' || value === null || isBytes(value)

const isHeaderValue = (value: unknown): value is Message['value'] | undefined =>
  value === undefined || isData(value)

/** @throws {InvalidMessageError} */
export const takePartition = (topic: string, index: number, partition: unknown): number | undefined => {
  if (partition === undefined || partition === null) return undefined
  const number = partitionNumber(partition)
  if (number === undefined) {
    throw new InvalidMessageError(topic, index, 'partition must be a whole number of at least 0')
  }
  return number
}

const TIMESTAMP_PROBLEM =
  'timestamp must be a whole number of ms since the epoch, as a string, or a valid Date'

/**
 * kafkajs takes whatever has a whole number for its primitive value: a Date, and the date objects of libraries.
 *
 * @returns undefined where it is not given or empty
 * @throws {InvalidMessageError}
 */
export const takeTimestamp = (topic: string, index: number, timestamp: unknown): string | undefined => {
  if (!timestamp) return undefined
  const ms = numberOf(timestamp)
  if (!Number.isSafeInteger(ms)) throw new InvalidMessageError(topic, index, TIMESTAMP_PROBLEM)
  // A Date may be changed while the record waits. Its 0 is a time, where the number 0 is none.
  return typeof timestamp === 'string' ? timestamp : String(ms)
}

const numberOf = (value: unknown): number => {
  if (Array.isArray(value) || typeof value === 'boolean') return Number.NaN
  try {
    return Number(value)
  } catch {
    return Number.NaN
  }
}

/** A copy of a message's headers, and about how long they are: one instance for all messages, as a record's measure. */
export class TakenHeaders {
  /** Of the headers that were taken last. characters and bytes */
  roughLength = 0

  /**
   * A copy of the headers. `undefined` as a value is taken, as kafkajs's type allows, and written as a header without a value (null).
   * kafkajs itself refuses a call with one by a raw TypeError.
   *
   * @throws {InvalidMessageError}
   */
  of(topic: string, index: number, headers: unknown): IHeaders {
    if (typeof headers !== 'object') throw new InvalidMessageError(topic, index, 'headers must be an object')
    const taken: Record<string, unknown> = { ...headers }
    let length = 0
    for (const name in taken) {
      const value = taken[name]
      length += name.length + HEADER_FRAME
      if (isHeaderValue(value)) length += value?.length ?? 0
      else if (Array.isArray(value)) {
        // Array.from: the holes of a sparse array are undefined too.
        const values = Array.from(value as unknown[])
        taken[name] = values
        for (const each of values) {
          if (!isHeaderValue(each)) throw headerProblem(topic, index, name)
          length += name.length + HEADER_FRAME + (each?.length ?? 0)
        }
      } else throw headerProblem(topic, index, name)
    }
    this.roughLength = length
    return taken as IHeaders
  }
}

/** About what stands around a header. bytes */
const HEADER_FRAME = 8

const headerProblem = (topic: string, index: number, name: string): InvalidMessageError =>
  new InvalidMessageError(
    topic,
    index,
    `the header ${quoted(name)} must be a Buffer, a string, or an array of those`,
  )
