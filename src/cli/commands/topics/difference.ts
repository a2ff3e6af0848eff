import type { Setting } from '../../cluster/client.js'
import type { DeclaredTopic } from './declaration.js'

/** One topic as the cluster has it. */
export interface FoundTopic {
  readonly partitions: number
  /** Of each partition; more than one number while they are being moved. */
  readonly replicationFactors: readonly number[]
  /** The settings that the declaration names, as far as the cluster knows them. */
  readonly settings: ReadonlyMap<string, Setting>
}

export interface Creation {
  readonly kind: 'create'
  readonly topic: DeclaredTopic
}

export interface MorePartitions {
  readonly kind: 'partitions'
  readonly name: string
  readonly from: number
  readonly to: number
}

/** `to: null`: back to the broker's default. */
export interface SettingChange {
  readonly setting: string
  readonly from: string | null
  readonly to: string | null
}

export interface Configuration {
  readonly kind: 'config'
  readonly name: string
  readonly changes: readonly SettingChange[]
}

/** A difference that this command does not mend: it would delete records, or move them. */
export interface Unmendable {
  readonly kind: 'unmendable'
  readonly name: string
  readonly what: string
  readonly remedy: string
}

/** What is done to the cluster. */
export type Change = Creation | MorePartitions | Configuration
export type Difference = Change | Unmendable

/** DescribeConfigs: set for this topic itself (DYNAMIC_TOPIC_CONFIG). */
const OF_THE_TOPIC = 1

/** What differs from the declaration, topic by topic in its order. A topic that is only in the cluster is nobody's business. */
export const differences = (
  declared: readonly DeclaredTopic[],
  found: ReadonlyMap<string, FoundTopic>,
): readonly Difference[] =>
  declared.flatMap(topic => {
    const existing = found.get(topic.name)
    if (existing === undefined) return [{ kind: 'create', topic } satisfies Creation]
    return [
      ...partitionDifference(topic, existing),
      ...replicaDifference(topic, existing),
      ...configDifference(topic, existing),
    ]
  })

function partitionDifference(
  { name, partitions: wanted }: DeclaredTopic,
  { partitions }: FoundTopic,
): Difference[] {
  if (wanted === -1 || wanted === partitions) return []
  if (wanted > partitions) return [{ kind: 'partitions', name, from: partitions, to: wanted }]
  const remedy =
    'Kafka has no way to take partitions from a topic: declare what it has, or make another topic'
  return [{ kind: 'unmendable', name, what: `partitions ${partitions} -> ${wanted}`, remedy }]
}

function replicaDifference(
  { name, replicationFactor: wanted }: DeclaredTopic,
  { replicationFactors }: FoundTopic,
): Difference[] {
  if (wanted === -1 || replicationFactors.every(each => each === wanted)) return []
  const has = [...new Set(replicationFactors)].sort((a, b) => a - b).join(' and ')
  const remedy = 'replicas are moved by a reassignment: kafka-reassign-partitions'
  return [{ kind: 'unmendable', name, what: `replicas ${has} -> ${wanted}`, remedy }]
}

function configDifference({ name, config }: DeclaredTopic, { settings }: FoundTopic): Configuration[] {
  const changes = Object.entries(config).flatMap(([setting, to]): SettingChange[] => {
    const now = settings.get(setting)
    if (to === null ? now?.source !== OF_THE_TOPIC : now !== undefined && isSame(now, to)) return []
    return [{ setting, from: now?.value ?? null, to }]
  })
  return changes.length > 0 ? [{ kind: 'config', name, changes }] : []
}

/** The types of values that have several spellings (DescribeConfigs's ConfigType). */
const TYPE = { boolean: 1, int: 3, short: 4, long: 5, double: 6, list: 7 } as const

function isSame({ value, type }: Setting, wanted: string): boolean {
  if (value === null) return false
  if (value === wanted) return true
  switch (type) {
    case TYPE.boolean:
      return value.toLowerCase() === wanted.toLowerCase()
    case TYPE.int:
    case TYPE.short:
    case TYPE.long:
      return isWhole(value) && isWhole(wanted) && BigInt(value) === BigInt(wanted)
    case TYPE.double:
      return wanted.trim() !== '' && Number(value) === Number(wanted)
    case TYPE.list:
      return itemsOf(value).join() === itemsOf(wanted).join()
    default:
      return false
  }
}

const isWhole = (text: string): boolean => /^-?\d+$/.test(text)
const itemsOf = (list: string): string[] =>
  list
    .split(',')
    .map(each => each.trim())
    .sort()
