import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as publicErrors from '../../src/errors/index.js'
import { expectSection } from './generated.js'
import { metricTable } from './metricTable.js'
import { optionTable } from './optionTable.js'

const page = (path: string): URL => new URL(`../../${path}`, import.meta.url)

test('the table of options is that of the schema', () =>
  expectSection('docs/options.md', 'options', optionTable()))

test('the table of metrics is that of their definitions', () =>
  expectSection('docs/metrics.md', 'metrics', metricTable()))

test('every error class is in the table of errors, and has its entry in the page on troubleshooting', () => {
  const table = readFileSync(page('docs/errors.md'), 'utf8')
  const troubleshooting = readFileSync(page('docs/troubleshooting.md'), 'utf8')
  for (const name of Object.keys(publicErrors)) {
    expect(table).toContain(`\`${name}\``)
    expect(troubleshooting).toContain(`\n### \`${name}\`\n`)
  }
})

test('every long wait that is warned of has its entry in the page on troubleshooting', () => {
  const troubleshooting = readFileSync(page('docs/troubleshooting.md'), 'utf8')
  const headings = [...troubleshooting.matchAll(/^### ([^`\n]+)$/gm)].map(([, text]) =>
    text!.replace(/ ?….*$/, ''),
  )
  const begins = readFileSync(page('src/waits/lines.ts'), 'utf8')
  const heads = begins.slice(begins.indexOf('const HEADS'), begins.indexOf('const REMEDIES'))
  const warnings = [...heads.matchAll(/=> [`']([^`'$]+)/g)].map(([, text]) => text!.trim())
  expect(warnings.length).toBeGreaterThan(8)
  for (const warning of warnings) {
    expect(
      headings.some(heading => heading.startsWith(warning)),
      warning,
    ).toBe(true)
  }
})

test('the README is short, and begins with the installation and a first program', () => {
  const lines = readFileSync(page('README.md'), 'utf8').split('\n')
  expect(lines.length).toBeLessThanOrEqual(135)
  expect(lines.findIndex(line => line.startsWith('npm install'))).toBeLessThan(10)
  expect(lines.findIndex(line => line.includes('producer.send('))).toBeLessThan(30)
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
