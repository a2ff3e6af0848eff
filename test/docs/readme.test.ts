import { readFileSync, writeFileSync } from 'node:fs'
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
