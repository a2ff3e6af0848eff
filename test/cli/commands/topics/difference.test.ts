import { describe, expect, it } from 'vitest'
import type { DeclaredTopic } from '../../../../src/cli/commands/topics/declaration.js'
import { differences, type FoundTopic } from '../../../../src/cli/commands/topics/difference.js'

const declared = (config: DeclaredTopic['config'], changes: Partial<DeclaredTopic> = {}): DeclaredTopic => ({
  name: 't',
  partitions: -1,
  replicationFactor: -1,
  config,
  ...changes,
})
const TYPE = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const
const found = (
  settings: Record<string, readonly [value: string, type: number, source?: number]>,
): FoundTopic => ({
  partitions: 3,
  replicationFactors: [2, 2, 2],
  settings: new Map(
    Object.entries(settings).map(([name, [value, type, source = 1]]) => [name, { value, type, source }]),
  ),
})
const between = (topic: DeclaredTopic, existing: FoundTopic) =>
  differences([topic], new Map([[topic.name, existing]]))

describe('the difference between a declared topic and one that is there', () => {
  it.each([
    ['false', 'FALSE', TYPE.boolean],
    ['86400000', '086400000', TYPE.long],
    ['0.5', '0.50', TYPE.double],
    ['9223372036854775807', '9223372036854775807', TYPE.long],
    ['compact,delete', 'delete, compact', TYPE.list],
    ['producer', 'producer', TYPE.string],
  ])('is none where %s is written as %s', (value, wanted, type) => {
    expect(between(declared({ setting: wanted }), found({ setting: [value, type] }))).toEqual([])
  })

  it.each([
    ['9223372036854775807', '9223372036854775806', TYPE.long],
    ['0.5', '', TYPE.double],
    ['3', 'three', TYPE.int],
    ['compact', 'compact,delete', TYPE.list],
    ['producer', 'Producer', TYPE.string],
  ])('is one where %s is wanted to be %s', (from, to, type) => {
    expect(between(declared({ setting: to }), found({ setting: [from, type] }))).toEqual([
      { kind: 'config', name: 't', changes: [{ setting: 'setting', from, to }] },
    ])
  })

  it('takes null for the broker’s default, whatever that is', () => {
    const wanted = declared({ setting: null })
    const OF_THE_BROKER = 4
    expect(between(wanted, found({ setting: ['7', TYPE.int, OF_THE_BROKER] }))).toEqual([])
    expect(between(wanted, found({}))).toEqual([])
    expect(between(wanted, found({ setting: ['7', TYPE.int] }))).toEqual([
      { kind: 'config', name: 't', changes: [{ setting: 'setting', from: '7', to: null }] },
    ])
  })

  it('has a setting that the cluster does not know', () => {
    expect(between(declared({ typo: '1' }), found({}))).toEqual([
      { kind: 'config', name: 't', changes: [{ setting: 'typo', from: null, to: '1' }] },
    ])
  })

  it('asks nothing of partitions and replicas that are left to the broker', () => {
    expect(between(declared({}), found({}))).toEqual([])
    expect(between(declared({}, { partitions: 3, replicationFactor: 2 }), found({}))).toEqual([])
  })

  it('shows replicas that are being moved', () => {
    const moving = { ...found({}), replicationFactors: [3, 2, 3] }
    expect(between(declared({}, { replicationFactor: 3 }), moving)).toMatchObject([
      { kind: 'unmendable', what: 'replicas 2 and 3 -> 3' },
    ])
  })
})
