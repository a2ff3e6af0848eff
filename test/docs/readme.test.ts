import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as publicErrors from '../../src/errors/index.js'
import { metricTable } from './metricTable.js'
import { optionTable } from './optionTable.js'

const README = new URL('../../README.md', import.meta.url)

/** `UPDATE_README=1 npx vitest run test/docs` writes the tables anew. */
const section = (name: string, table: string): void => {
  const text = readFileSync(README, 'utf8')
  const [start, end] = [`<!-- ${name}: generated -->\n`, `\n<!-- /${name} -->`]
  const from = text.indexOf(start) + start.length
  const to = text.indexOf(end)
  expect(text.indexOf(start), `README has the section ${name}`).toBeGreaterThan(0)
  expect(to).toBeGreaterThanOrEqual(from)
  if (process.env.UPDATE_README) writeFileSync(README, text.slice(0, from) + table + text.slice(to))
  else expect(text.slice(from, to)).toBe(table)
}

test('the table of options is that of the schema', () => section('options', optionTable()))

test('the table of metrics is that of their definitions', () => section('metrics', metricTable()))

test('every error class is in the table of errors', () => {
  const text = readFileSync(README, 'utf8')
  for (const name of Object.keys(publicErrors)) expect(text).toContain(`\`${name}\``)
})

test('every file that the architecture names is there', () => {
  const text = readFileSync(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8')
  const sources = readdirSync(new URL('../../src/', import.meta.url), { recursive: true, encoding: 'utf8' })
  const files = new Set(sources.map(path => path.replaceAll('\\', '/')))
  const isThere = (name: string): boolean =>
    [...files].some(path => path === name || path.endsWith(`/${name}`))
  const named = [...text.matchAll(/`([\w/]+\.(?:ts|wat))`/g)].map(([, name]) => name!)
  expect(named.length).toBeGreaterThan(20)
  expect(named.filter(name => !isThere(name))).toEqual([])
})
