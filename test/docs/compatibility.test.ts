import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { matchCases, problemsOf, type TestOutcome } from '../compat/table/match.js'
import { type Titles, titles } from '../compat/table/titles.js'

const root = new URL('../../', import.meta.url)

/** Cells may hold a pipe, escaped. */
const cellsOf = (line: string) =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map(cell => cell.trim().replaceAll('\\|', '|'))

const known: Titles = {
  release: '0.0.0',
  specs: [{ file: 'src/a.spec.js', titles: ['A > one', 'A > two', 'A > three'] }],
  different: [{ file: 'src/a.spec.js', title: 'A > three', defect: 'it is wrong', here: 'it is right' }],
}
const ranAs = (path: string[], status: TestOutcome['status'] = 'passed'): TestOutcome => ({
  path,
  status,
  file: 'test/compat/a.test.ts',
})
const embedded = 'src/a.spec.js [embedded]'
const real = 'src/a.spec.js [local Kafka]'

const judged = (titlesOfSpecs: Titles, outcomes: TestOutcome[]) =>
  problemsOf(titlesOfSpecs, matchCases(titlesOfSpecs, outcomes), outcomes)

test('a case that has a test on each broker, or a defect of kafkajs, is no problem', () => {
  const outcomes = [
    ranAs([embedded, 'A', 'one']),
    ranAs([real, 'A', 'one']),
    ranAs([embedded, 'A > two']),
    ranAs(['something else', 'A', 'four']),
  ]
  expect(judged(known, outcomes)).toEqual([])
  expect(matchCases(known, outcomes)[0]?.rows).toEqual([
    { title: 'A > one', status: 'passed', files: ['test/compat/a.test.ts'], real: 1, embedded: 1 },
    { title: 'A > two', status: 'passed', files: ['test/compat/a.test.ts'], real: 0, embedded: 1 },
    { title: 'A > three', status: 'different by design', files: [], real: 0, embedded: 0 },
  ])
})

test('a case without a test, one that failed on any broker and one that did not run are problems', () => {
  expect(judged(known, [ranAs([embedded, 'A', 'one']), ranAs([real, 'A', 'one'], 'failed')])).toEqual([
    'src/a.spec.js: "A > one": failed',
    'src/a.spec.js: "A > two": missing',
  ])
  const skipped = [ranAs([embedded, 'A', 'one'], 'skipped'), ranAs([embedded, 'A', 'two'])]
  expect(judged(known, skipped)).toEqual(['src/a.spec.js: "A > one": not run'])
})

test('a different case that fails its own test is a failure', () => {
  const outcomes = ['one', 'two'].map(title => ranAs([embedded, 'A', title]))
  const failed = ranAs([embedded, 'A', 'three'], 'failed')
  expect(judged(known, [...outcomes, failed])).toEqual(['src/a.spec.js: "A > three": failed'])
})

test('titles that are no case’s, and differences without a defect, are problems', () => {
  const different = [
    { file: 'src/a.spec.js', title: 'A > none', defect: 'x', here: 'y' },
    { file: 'src/a.spec.js', title: 'A > three', defect: ' ', here: 'y' },
  ]
  const outcomes = ['one', 'two', 'misspelt'].map(title => ranAs([embedded, 'A', title]))
  expect(judged({ ...known, different }, outcomes)).toEqual([
    'test/compat/a.test.ts: "A > misspelt" is no case of src/a.spec.js',
    'src/a.spec.js: "A > none" is called different, but is no case',
    '"A > three" is called different without a defect of kafkajs',
  ])
})

test('the page has every case of the list, each in a test file that is there, and none that failed', () => {
  const page = readFileSync(new URL('docs/compatibility.md', root), 'utf8')
  const cases = page
    .slice(page.indexOf('\n## Cases'))
    .split('\n### ')
    .slice(1)
    .flatMap(section => {
      const file = section.split('\n')[0]?.replaceAll('`', '')
      const rows = section
        .split('\n')
        .filter(line => line.startsWith('| '))
        .slice(2)
      return rows.map(line => ({ file, cells: cellsOf(line) }))
    })
  const listed = cases.map(({ file, cells }) => `${file} ${cells[0]}`)
  expect(listed).toEqual(
    titles.specs.flatMap(({ file, titles: all }) => all.map(title => `${file} ${title.trim()}`)),
  )
  for (const { cells } of cases) {
    const [title = '', outcome = '', , files = ''] = cells
    expect(['passed', 'different by design'], title).toContain(outcome)
    for (const [, name = ''] of files.matchAll(/`([^`]+)`/g))
      expect(existsSync(new URL(`test/compat/${name}`, root)), name).toBe(true)
  }
})
