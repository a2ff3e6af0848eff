import { isObject } from '../../../util/plainObject.js'
import { topicNameProblem } from '../../ndjson/record.js'
import { UsageError } from '../../process/exit.js'

/** One topic as the file wants it. */
export interface DeclaredTopic {
  readonly name: string
  /** -1: as many as the broker gives by default; an existing topic may have any. */
  readonly partitions: number
  /** -1: as many as the broker gives by default; an existing topic may have any. */
  readonly replicationFactor: number
  /** Settings by name; `null`: the broker's default. Settings that are not named may be anything. */
  readonly config: Readonly<Record<string, string | null>>
}

type Entries = Readonly<Record<string, unknown>>

const TOPIC_ENTRIES = ['name', 'partitions', 'replicationFactor', 'config']
const DEFAULT_ENTRIES = ['partitions', 'replicationFactor', 'config']
const MAX_PARTITIONS = 100_000
const MAX_REPLICAS = 32_767

/**
 * Reads `{ "defaults": { partitions, replicationFactor, config }, "topics": [{ name, partitions, replicationFactor, config }] }`, where
 * all but the names is optional and a topic's entries stand above the defaults.
 *
 * @throws {UsageError} naming every problem
 */
export function parseDeclaration(json: string, path: string): readonly DeclaredTopic[] {
  const parsed = parseJson(json, path)
  const problems: string[] = []
  if (!isObject(parsed)) throw new UsageError(`${path} must hold a JSON object with a list "topics"`)
  const { defaults = {}, topics } = parsed
  unknownEntries(parsed, ['defaults', 'topics'], '', problems)
  if (!isObject(defaults)) problems.push('"defaults" must be an object')
  else check(defaults, DEFAULT_ENTRIES, 'defaults.', problems)
  if (!Array.isArray(topics)) problems.push('"topics" must be a list')
  const base = isObject(defaults) ? defaults : {}
  const declared = (Array.isArray(topics) ? topics : []).map((topic: unknown, index) =>
    declaredTopic(topic, base, `topics[${index}].`, problems),
  )
  const names = declared.map(each => each.name)
  const twice = names.filter((name, index) => name !== '' && names.indexOf(name) !== index)
  for (const name of new Set(twice)) problems.push(`"${name}" is declared ${countOf(twice, name) + 1} times`)
  if (problems.length > 0) throw new UsageError(...problems.map(problem => `${path}: ${problem}`))
  return declared
}

function parseJson(json: string, path: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${(error as Error).message}`)
  }
}

function declaredTopic(topic: unknown, defaults: Entries, at: string, problems: string[]): DeclaredTopic {
  const entries = isObject(topic) ? topic : {}
  if (isObject(topic)) check(topic, TOPIC_ENTRIES, at, problems)
  else problems.push(`"${at.slice(0, -1)}" must be an object`)
  const name = typeof entries.name === 'string' ? entries.name : ''
  if (isObject(topic)) {
    const problem = name === '' ? 'must be a topic’s name' : topicNameProblem(name)
    if (problem) problems.push(`"${at}name" ${problem}`)
  }
  const { partitions = -1, replicationFactor = -1 } = { ...defaults, ...entries }
  return {
    name,
    partitions: partitions as number,
    replicationFactor: replicationFactor as number,
    config: { ...texts(defaults.config), ...texts(entries.config) },
  }
}

function check(entries: Entries, known: readonly string[], at: string, problems: string[]): void {
  unknownEntries(entries, known, at, problems)
  const { partitions, replicationFactor, config } = entries
  if (partitions !== undefined && !isCount(partitions, MAX_PARTITIONS)) {
    problems.push(
      `"${at}partitions" must be a number from 1 to ${MAX_PARTITIONS}, or -1 for the broker’s default`,
    )
  }
  if (replicationFactor !== undefined && !isCount(replicationFactor, MAX_REPLICAS)) {
    problems.push(
      `"${at}replicationFactor" must be a number from 1 to ${MAX_REPLICAS}, or -1 for the broker’s default`,
    )
  }
  if (config === undefined) return
  if (!isObject(config)) problems.push(`"${at}config" must be an object`)
  else {
    for (const [name, value] of Object.entries(config)) {
      if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) continue
      problems.push(
        `"${at}config.${name}" must be a text, a number, true, false, or null for the broker’s default`,
      )
    }
  }
}

function unknownEntries(entries: Entries, known: readonly string[], at: string, problems: string[]): void {
  for (const name of Object.keys(entries)) {
    if (!known.includes(name)) problems.push(`unknown entry "${at}${name}" (known: ${known.join(', ')})`)
  }
}

const isCount = (value: unknown, max: number): boolean =>
  value === -1 || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= max)

const texts = (config: unknown): Record<string, string | null> =>
  isObject(config)
    ? Object.fromEntries(
        Object.entries(config).map(([name, value]) => [name, value === null ? null : String(value)]),
      )
    : {}

const countOf = (names: readonly string[], name: string): number => names.filter(each => each === name).length
