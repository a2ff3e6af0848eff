import { readdirSync, readFileSync } from 'node:fs'
import { root } from './repository.mjs'

/** Pages outside of `docs/`: path in the repository, path on the site. */
const OTHERS = {
  'README.md': 'index.md',
  'ARCHITECTURE.md': 'architecture.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'src/testing/README.md': 'docs/embedded-cluster.md',
}

const pathOf = source => OTHERS[source] ?? source.replace(/(^|\/)README\.md$/, '$1index.md')

/** The files of the repository that are pages of the site, by their paths there. */
const sources = () => [
  ...Object.keys(OTHERS),
  ...readdirSync(`${root}docs`, { recursive: true, encoding: 'utf8' })
    .map(path => `docs/${path.replaceAll('\\', '/')}`)
    .filter(path => path.endsWith('.md'))
    .sort(),
]

/** Every page that is made of a file of the repository, by that file's path: its path on the site, its title and its Markdown. */
export const sitePages = () =>
  new Map(
    sources().map(source => {
      const markdown = readFileSync(root + source, 'utf8')
      return [source, { path: pathOf(source), title: /^# (.+)$/m.exec(markdown)?.[1] ?? source, markdown }]
    }),
  )

/** A page's address below the site's base, as links have it, of its path on the site. */
export const addressOf = path => path.replace(/(?:(^|\/)index)?\.(?:md|html)$/, '$1')
