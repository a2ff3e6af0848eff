import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, test } from 'vitest'
import { OPTION_SCHEMA, type OptionSpec } from '../../src/producer/options/optionSchema.js'
import { DEFAULT_TOPIC_SETTINGS } from '../../src/topics/policy/policy.js'
import { defaultIn, docstringProblems } from './docstringRules.js'
import { type ApiItem, ENTRIES, type EntryApi, type EntryName, extractApi } from './extract.js'

const names = Object.keys(ENTRIES) as EntryName[]
let api: Readonly<Record<EntryName, EntryApi>>

beforeAll(() => {
  api = extractApi()
}, 120_000)

/** `npm run api` writes the reports anew. */
test.each(names)("the report of the entry point '%s' is what its declarations say", name => {
  const file = new URL(`../../api/${name}.api.md`, import.meta.url)
  if (process.env.UPDATE_API) writeFileSync(file, api[name].report)
  expect(api[name].report).toBe(readFileSync(file, 'utf8'))
})

/** What users reach without an export: bases of public types, and values of their fields. The contexts of errors' constructors are not among it. */
const isPublic = ({ name = '' }: ApiItem): boolean =>
  !/(Context|ErrorCode|ApiRange|NotImplemented)$/.test(name) || name === 'ErrorContext'

test.each(names)("everything that the entry point '%s' exports has a whole docstring", name => {
  const items = api[name].items.filter(isPublic)
  expect(items.length).toBeGreaterThan(3)
  expect(items.flatMap(item => docstringProblems(item, { throws: name !== 'testing' }))).toEqual([])
})

describe('a docstring that is not whole is found', () => {
  const property = (name: string, type: string, docComment: string): ApiItem => ({
    kind: 'PropertySignature',
    name,
    docComment,
    excerptTokens: [{ text: `readonly ${name}?: ` }, { text: type }, { text: ';' }],
  })
  const problems = (kind: string, name: string, members: readonly ApiItem[]): string[] =>
    docstringProblems({ kind, name, docComment: '/**\n * Some.\n */', members }, { throws: true })

  test('an option', () => {
    expect(
      problems('Interface', 'SomeOptions', [
        property('timeMs', 'number | undefined', '/**\n * A time.\n *\n * @defaultValue 1\n */'),
        property('untold', 'number', ''),
        property('hook', '() => void', '/**\n * Called.\n *\n * @defaultValue none\n */'),
        property('whole', "'a' | 'b' | undefined", "/**\n * A choice.\n *\n * @defaultValue 'a'\n */"),
        property('needed', 'string', '/**\n * A name. Required.\n */'),
      ]),
    ).toEqual([
      'SomeOptions.timeMs does not say its unit (ms)',
      'SomeOptions.untold has no docstring',
      'SomeOptions.untold has neither a @defaultValue nor the word Required',
      'SomeOptions.hook is an option without an @example',
    ])
  })

  test('a method', () => {
    const method = { kind: 'MethodSignature', name: 'send', docComment: '/**\n * @example send()\n */' }
    expect(problems('Interface', 'Sender', [method])).toEqual([
      'Sender.send has no docstring',
      'Sender.send can be called and does not say what it @throws',
    ])
  })

  test('an error, whose name and constructor need none', () => {
    const members = [
      { kind: 'Constructor' },
      { kind: 'Property', name: 'name' },
      { kind: 'Property', name: 'failed' },
    ]
    expect(problems('Class', 'SomeError', members)).toEqual(['SomeError.failed has no docstring'])
  })
})

const fieldOf = (interfaceName: string, field: string): ApiItem | undefined =>
  api.index.items.find(({ name }) => name === interfaceName)?.members?.find(({ name }) => name === field)

const UNITS: Partial<Record<OptionSpec['kind'], string>> = { ms: ' ms', bytes: ' bytes' }
const GROUPS: Readonly<Record<string, string>> = {
  retry: 'DeliveryRetryOptions',
  metadataRetry: 'MetadataRetryOptions',
}

describe('the @defaultValue of an option is the one in use', () => {
  test.each(OPTION_SCHEMA.map(option => [option.name, option] as const))('%s', (name, { kind, shown }) => {
    const [group, field] = name.split('.') as [string, string?]
    const item =
      field === undefined ? fieldOf('ResilientProducerOptions', group) : fieldOf(GROUPS[group]!, field)
    expect(item, 'the option is declared').toBeDefined()
    expect(defaultIn(item!)).toBe(`${shown}${UNITS[kind] ?? ''}`)
  })

  test.each(['create', 'waitForMs', 'partitions', 'replicationFactor'] as const)('topics.%s', name => {
    const value = DEFAULT_TOPIC_SETTINGS[name]
    const shown = typeof value === 'string' ? `'${value}'` : `${value}${name.endsWith('Ms') ? ' ms' : ''}`
    expect(defaultIn(fieldOf('TopicSettings', name)!)).toBe(shown)
  })
})
