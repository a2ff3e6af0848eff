import type { IHeaders, Message } from 'kafkajs'
import { partitionNumber } from '../delivery/partitions/partitioner.js'
import { InvalidMessageError } from '../errors/index.js'
import { quoted } from '../util/printable.js'
import { isBytes } from '../util/realms.js'

/** Whether it can be a record's key or value. */
export const isData = (value: unknown): value is Message['value'] =>
  typeof value === 'string' || value === null || isBytes(value)

const isHeaderValue = (value: unknown): boolean => value === undefined || isData(value)

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

/**
 * A copy of the headers. `undefined` as a value is taken, as kafkajs's type allows, and written as a header without a value (null).
 * kafkajs itself refuses a call with one by a raw TypeError.
 *
 * @throws {InvalidMessageError}
 */
export const takeHeaders = (topic: string, index: number, headers: unknown): IHeaders | undefined => {
  if (headers === undefined || headers === null) return undefined
  if (typeof headers !== 'object') throw new InvalidMessageError(topic, index, 'headers must be an object')
  const taken: Record<string, unknown> = { ...headers }
  for (const name in taken) {
    const value = taken[name]
    if (isHeaderValue(value)) continue
    if (Array.isArray(value)) {
      // Array.from: the holes of a sparse array are undefined too.
      const values = Array.from(value as unknown[])
      taken[name] = values
      if (values.every(isHeaderValue)) continue
    }
    const problem = `the header ${quoted(name)} must be a Buffer, a string, or an array of those`
    throw new InvalidMessageError(topic, index, problem)
  }
  return taken as IHeaders
}

/** About how long they are. characters and bytes */
export const roughLengthOf = (headers: IHeaders): number => {
  let length = 0
  for (const name in headers) {
    const value = headers[name]
    length += name.length + 8
    if (Array.isArray(value)) for (const each of value) length += name.length + 8 + (each?.length ?? 0)
    else length += value?.length ?? 0
  }
  return length
}
