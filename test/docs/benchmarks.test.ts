import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { newTopicsConditions, newTopicsTable, sections, summaryTable } from '../../bench/harness/page.js'
import { barPlots } from '../../bench/harness/plot.js'
import { readResults } from '../../bench/harness/results.js'
import { QUESTIONS } from '../../bench/questions.js'
import { expectFile, expectSection } from './generated.js'

const results = readResults()

/** `UPDATE_DOCS=1 npx vitest run --project unit test/docs/benchmarks.test.ts` draws and writes all of it anew. */
describe('what the documents say of speed is what bench/results has:', () => {
  test('there are results, and of known questions alone', () => {
    const names = QUESTIONS.map(({ name }) => name)
    expect(results.size).toBeGreaterThan(0)
    expect([...results.keys()].filter(name => !names.includes(name))).toEqual([])
  })

  test('the summary', () => expectSection('docs/benchmarks.md', 'summary', summaryTable(QUESTIONS, results)))

  test('the table of new topics, on the page and in the README', () => {
    const table = newTopicsTable(results)
    const content = `${table}\n\n${newTopicsConditions(results)}`
    expectSection('docs/benchmarks.md', 'new topics', table)
    expectSection('README.md', 'new topics', content)
  })

  test('a section per question', () =>
    expectSection('docs/benchmarks.md', 'questions', sections(QUESTIONS, results)))

  test.each([...results])('the picture of %s', (name, { asks, report }) => {
    if (report.plots.length > 0) expectFile(`docs/benchmarks/${name}.svg`, barPlots(asks, report.plots))
  })

  test('no picture is left over', () => {
    const drawn = readdirSync(new URL('../../docs/benchmarks', import.meta.url))
    expect(drawn.sort()).toEqual(
      [...results.keys()]
        .filter(name => results.get(name)!.report.plots.length > 0)
        .map(name => `${name}.svg`)
        .sort(),
    )
  })
})
