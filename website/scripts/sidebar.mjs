import { posix } from 'node:path'
import { addressOf } from './pages.mjs'

/** The sections of a page that is an index: each heading of level 2, with the links of its list to other pages. */
const sectionsOf = (markdown, folder) =>
  markdown
    .split(/^## /m)
    .slice(1)
    .map(section => ({
      text: section.slice(0, section.indexOf('\n')).trim(),
      pages: [...section.matchAll(/\[([^\]]+)\]\((\.[^)\s#]+\.md)(?:#[^)\s]*)?\)/g)].map(
        ([, text, link]) => ({
          text: text.replaceAll('`', ''),
          path: posix.join(folder, link),
        }),
      ),
    }))

const itemOf = ({ text, path }) => ({ text, link: `/${addressOf(path)}` })

/**
 * The sidebar, in the order of the index pages: `docs/README.md`, and for the decisions theirs.
 *
 * @param markdownOf gives a page's Markdown, with links as `siteLinks` makes them, by its path on the site
 * @param paths the path on the site of every page
 * @throws an Error that names each page that no index names
 */
export const sidebarOf = (markdownOf, paths) => {
  const sections = sectionsOf(markdownOf('docs/index.md'), 'docs')
  const decisions = sectionsOf(markdownOf('docs/decisions/index.md'), 'docs/decisions')

  const named = new Set([...sections, ...decisions].flatMap(({ pages }) => pages.map(({ path }) => path)))
  const missing = paths.filter(path => !['index.md', 'docs/index.md'].includes(path) && !named.has(path))
  if (missing.length > 0)
    throw new Error(
      `name these pages in docs/README.md or in docs/decisions/README.md: ${missing.join(', ')}`,
    )

  const nested = decisions.map(({ text, pages }) => ({ text, collapsed: true, items: pages.map(itemOf) }))
  return [
    { text: 'Overview', link: '/docs/' },
    ...sections.map(({ text, pages }) => ({
      text,
      collapsed: false,
      items: pages.map(page =>
        page.path === 'docs/decisions/index.md'
          ? { ...itemOf(page), collapsed: true, items: nested }
          : itemOf(page),
      ),
    })),
  ]
}
