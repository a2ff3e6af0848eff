import assert from 'node:assert/strict'
import { test } from 'node:test'
import { siteLinks } from '../scripts/links.mjs'

const repository = 'https://github.com/owner/name'
const pages = new Map([
  ['README.md', { path: 'index.md', title: 'Name' }],
  ['CONTRIBUTING.md', { path: 'contributing.md', title: 'Contributing' }],
  ['docs/README.md', { path: 'docs/index.md', title: 'Documentation' }],
  ['docs/recipes/jest.md', { path: 'docs/recipes/jest.md', title: 'Jest' }],
])
const there = { src: 'folder', 'src/a.ts': 'file', 'docs/chart.svg': 'file' }
const rewritten = (markdown, from) =>
  siteLinks(markdown, from, { pages, repository, kindOf: path => there[path] })

for (const [what, from, markdown, expected] of [
  ['a page', 'README.md', '[x](docs/README.md#start)', '[x](./docs/index.md#start)'],
  ['a page above', 'docs/recipes/jest.md', '[x](../../README.md)', '[x](../../index.md)'],
  [
    'a page, by its address',
    'docs/README.md',
    `[x](${repository}/blob/main/CONTRIBUTING.md)`,
    '[x](../contributing.md)',
  ],
  [
    'a page, by its file name',
    'docs/README.md',
    '[recipes/jest.md](recipes/jest.md)',
    '[Jest](./recipes/jest.md)',
  ],
  [
    'a page, with code in its text',
    'docs/README.md',
    '[`jest`](recipes/jest.md)',
    '[`jest`](./recipes/jest.md)',
  ],
  ['a file', 'docs/README.md', '[x](../src/a.ts#L3)', `[x](${repository}/blob/main/src/a.ts#L3)`],
  ['a folder', 'docs/README.md', '[x](../src/)', `[x](${repository}/tree/main/src)`],
  ['a heading of the same page', 'README.md', '[x](#why)', '[x](#why)'],
  ['another site', 'README.md', '[x](https://kafka.js.org)', '[x](https://kafka.js.org)'],
  ['code of a line', 'README.md', '`[x](gone.md)`', '`[x](gone.md)`'],
  ['a block of code', 'README.md', '```ts\na[x](gone.md)\n```', '```ts\na[x](gone.md)\n```'],
])
  test(`a link to ${what}`, () => assert.equal(rewritten(markdown, from).text, expected))

test('an image is copied', () =>
  assert.deepEqual(rewritten('![x](chart.svg)', 'docs/README.md'), {
    text: '![x](./chart.svg)',
    images: ['docs/chart.svg'],
  }))

for (const target of ['gone.md', 'recipes/', `${repository}/blob/main/gone.md`])
  test(`a link to ${target}, which is not there, is an error that names page and link`, () =>
    assert.throws(() => rewritten(`[x](${target})`, 'docs/README.md'), {
      message: `docs/README.md: the link ${target} leads nowhere`,
    }))
