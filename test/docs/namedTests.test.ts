import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** A test as a page names it: `file`, or `file`: *a title* and more titles. */
interface NamedTest {
  readonly file: string
  readonly titles: readonly string[]
}

/** The tests that the rows of a page's tables name in their last column. */
const namedTests = (markdown: string): NamedTest[][] =>
  [...markdown.matchAll(/^\|(?!---)(.*)\|$/gm)]
    .map(([, row]) => row!.split(' | ').at(-1)!)
    .filter(cell => cell.includes('`'))
    .map(cell =>
      [...cell.matchAll(/`([^`]+)`((?:[:,] \*[^*]+\*)*)/g)].map(([, file, titles]) => ({
        file: file!,
        titles: [...titles!.matchAll(/\*([^*]+)\*/g)].map(([, title]) => title!),
      })),
    )

test('tests are found with their titles', () => {
  const row = '| a promise | `test/a.test.ts`: *one*, *two, three*; `test/b.test.ts` |'
  expect(namedTests(`| promise | test |\n|---|---|\n${row}\n`)).toEqual([
    [
      { file: 'test/a.test.ts', titles: ['one', 'two, three'] },
      { file: 'test/b.test.ts', titles: [] },
    ],
  ])
})

test.each(['SECURITY.md', 'docs/supported.md'])('every test that %s names is there', page => {
  const rows = namedTests(read(page))
  expect(rows.length).toBeGreaterThan(8)
  for (const { file, titles } of rows.flat()) {
    const text = read(file).replaceAll("\\'", "'")
    for (const title of titles) expect(text.includes(title), `${file} has the test '${title}'`).toBe(true)
  }
})

test('each promise of SECURITY.md names its tests by title', () => {
  for (const { file, titles } of namedTests(read('SECURITY.md')).flat())
    expect(titles.length, file).toBeGreaterThan(0)
})
