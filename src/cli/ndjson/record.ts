import { isUtf8 } from 'node:buffer'
import { formatCount, printable } from '../terminal/format.js'
import type { Line } from './lines.js'

export interface RecordMapping {
  /** One topic for every record, or the field that names it; `prefix` goes before either. */
  readonly topic: { readonly name: string } | { readonly field: string }
  readonly topicPrefix: string
  readonly keyField: string | undefined
  /** Bytes; only for the text of the complaint. */
  readonly maxLineBytes: number
}

export interface InputRecord {
  readonly topic: string
  readonly key: string | null
  /** The line as it was read: it is not written anew. */
  readonly value: Buffer
}

export type MappedLine = { readonly record: InputRecord } | { readonly malformed: string }

/** A line of newline-delimited JSON as a record, or what is wrong with it. */
export function toRecord(line: Line, mapping: RecordMapping): MappedLine {
  const { bytes } = line
  if (bytes === undefined) {
    return { malformed: `longer than ${formatCount(mapping.maxLineBytes)} bytes (--max-line-bytes)` }
  }
  if (!isUtf8(bytes)) return { malformed: 'not UTF-8' }
  let json: unknown
  try {
    json = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    return { malformed: `not JSON: ${printable((error as Error).message, 160)}` }
  }
  const topic =
    'name' in mapping.topic ? { text: mapping.topic.name } : textOf(json, mapping.topic.field, 'topic')
  if ('malformed' in topic) return topic
  const key = mapping.keyField === undefined ? { text: null } : textOf(json, mapping.keyField, 'key')
  if ('malformed' in key) return key
  const name = `${mapping.topicPrefix}${topic.text}`
  const complaint = topicNameProblem(name)
  if (complaint) return { malformed: complaint }
  return { record: { topic: name, key: key.text, value: bytes } }
}

const LEGAL_TOPIC = /^[a-zA-Z0-9._-]{1,249}$/

/** What Kafka has against this topic name (org.apache.kafka.common.internals.Topic), if anything. */
export function topicNameProblem(name: string): string | undefined {
  if (LEGAL_TOPIC.test(name) && name !== '.' && name !== '..') return undefined
  return `not a legal topic name: "${printable(name, 80)}" (1 to 249 of a-z A-Z 0-9 . _ -)`
}

type Text = { readonly text: string } | { readonly malformed: string }

function textOf(json: unknown, field: string, role: 'topic' | 'key'): Text {
  const value = lookUp(json, field)
  switch (typeof value) {
    case 'string':
      return { text: value }
    case 'boolean':
      return { text: String(value) }
    case 'number':
      // JSON.parse has rounded it already: two keys would become one.
      if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
        return {
          malformed: `the ${role} field "${field}" holds a number too large to be exact: write it as a string`,
        }
      }
      return { text: String(value) }
    case 'undefined':
      return { malformed: `no field "${field}" to take the ${role} from` }
    default:
      return {
        malformed: `the ${role} field "${field}" is ${value === null ? 'null' : 'an object or a list'}`,
      }
  }
}

/** A field by its own name, or else by a path of names with dots between (`properties.net`). */
function lookUp(json: unknown, field: string): unknown {
  const own = ownField(json, field)
  if (own !== undefined || !field.includes('.')) return own
  return field.split('.').reduce(ownField, json)
}

function ownField(json: unknown, name: string): unknown {
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, name)) return undefined
  return (json as Record<string, unknown>)[name]
}
