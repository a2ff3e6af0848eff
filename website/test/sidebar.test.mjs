import assert from 'node:assert/strict'
import { test } from 'node:test'
import { homeOf } from '../scripts/home.mjs'
import { sidebarOf } from '../scripts/sidebar.mjs'

const PAGES = {
  'index.md': '# Home',
  'docs/index.md':
    '# Documentation\n\n## Start\n\n- [`Options`](./options.md), and [more](./recipes/more.md#there)\n\n## Made\n\n- [Decisions](./decisions/index.md)\n- [Changes](../changelog.md)\n- [ops](https://example.com/ops.md)\n',
  'docs/decisions/index.md': '# Decisions\n\n## Topics\n\n- [One](./one.md): why\n',
  'docs/decisions/one.md': '# One',
  'docs/options.md': '# Options',
  'docs/recipes/more.md': '# More',
  'changelog.md': '# Changes',
}

test('the sidebar has the order of the index, with the decisions in theirs', () => {
  assert.deepEqual(
    sidebarOf(path => PAGES[path], Object.keys(PAGES)),
    [
      { text: 'Overview', link: '/docs/' },
      {
        text: 'Start',
        collapsed: false,
        items: [
          { text: 'Options', link: '/docs/options' },
          { text: 'more', link: '/docs/recipes/more' },
        ],
      },
      {
        text: 'Made',
        collapsed: false,
        items: [
          {
            text: 'Decisions',
            link: '/docs/decisions/',
            collapsed: true,
            items: [
              { text: 'Topics', collapsed: true, items: [{ text: 'One', link: '/docs/decisions/one' }] },
            ],
          },
          { text: 'Changes', link: '/changelog' },
        ],
      },
    ],
  )
})

test('a page that no index names is an error', () => {
  assert.throws(
    () => sidebarOf(path => PAGES[path], [...Object.keys(PAGES), 'docs/lost.md', 'docs/decisions/two.md']),
    {
      message:
        'name these pages in docs/README.md or in docs/decisions/README.md: docs/lost.md, docs/decisions/two.md',
    },
  )
})

const HOME =
  '# Name\n\nWhat it [is](./x.md)\nfor.\n\n```sh\nnpm\n```\n\n## Why\n\n- **A.** a\n  b\n- **C.** c\n\nEnd.\n'

test('the README becomes the home page', () => {
  assert.deepEqual(homeOf(HOME, { actions: [] }), {
    frontmatter: { layout: 'home', hero: { name: 'Name', tagline: 'What it is for.', actions: [] } },
    body: '```sh\nnpm\n```\n\n## Why\n\n<div class="cards">\n\n- **A.** a\n  b\n- **C.** c\n\n</div>\n\nEnd.\n',
  })
})

test('a README of another form is an error', () => {
  assert.throws(() => homeOf('Name', {}), {
    message: 'README.md does not begin with a title and a paragraph',
  })
  assert.throws(() => homeOf('# Name\n\nWhat.\n\nEnd.\n', {}), {
    message: "README.md has no list under '## Why'",
  })
})
