import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OPTION_SCHEMA, type OptionSpec } from '../../src/producer/options/optionSchema.js'

const SOURCE = readFileSync(new URL('../../src/producer/types.ts', import.meta.url), 'utf8')

const INTERFACES: Readonly<Record<string, string>> = {
  retry: 'DeliveryRetryOptions',
  metadataRetry: 'MetadataRetryOptions',
}

/** The doc comment before a field of an interface, in one line. */
const docOf = (interfaceName: string, field: string): string => {
  const body = new RegExp(`export interface ${interfaceName} \\{\\n([^]*?)\\n\\}`).exec(SOURCE)?.[1] ?? ''
  const lines = body.split('\n')
  const at = lines.findIndex(line => line.startsWith(`  readonly ${field}?:`))
  const from = lines.slice(0, at).findLastIndex(line => line.trimStart().startsWith('/**'))
  if (at < 0 || from < 0) return ''
  return lines
    .slice(from, at)
    .map(line => line.replace(/^\s*(\/\*\*|\*\/|\*)\s?/, '').replace(/\s*\*\/$/, ''))
    .join(' ')
}

const UNITS: Partial<Record<OptionSpec['kind'], string>> = { ms: ' ms', bytes: ' bytes' }

describe('the doc comment of an option tells its default', () => {
  test.each(OPTION_SCHEMA.map(option => [option.name, option] as const))('%s', (name, { kind, shown }) => {
    const [group, field] = name.split('.') as [string, string?]
    const doc =
      field === undefined ? docOf('ResilientProducerOptions', group) : docOf(INTERFACES[group]!, field)
    const [, told = ''] = doc.split('Default ')
    const [, after] = told.split(`${shown}${UNITS[kind] ?? ''}`, 2)
    expect(told.startsWith(shown), doc).toBe(true)
    expect(after, doc).toMatch(/^(?!\w)/)
  })
})
