import { posix } from 'node:path'

const relative = (from, to) => {
  const path = posix.relative(posix.dirname(from), to)
  return path.startsWith('.') ? path : `./${path}`
}

/** Code, in which a `](` is not a link. */
const CODE = /(^```[\s\S]*?^```$|`[^`\n]+`)/m

/** A link's text if it is a file's name, and its target. */
const LINK = /(?:\[([\w./-]+\.md))?\]\(([^)\s]+)\)/g

/**
 * Rewrites the links of a Markdown page of the repository for the site. A link to another page leads to that page of the site, also where it
 * is written as an address on GitHub, as links to files are that the packed package lacks; a text that is the file's name becomes the page's
 * title. A link to another file of the repository leads to GitHub. An image is returned in `images`, to be copied.
 *
 * @param markdown the page
 * @param from its path in the repository
 * @param pages every page, by its path in the repository, with its path and its title on the site
 * @param repository the repository's address on GitHub
 * @param kindOf what is at a path of the repository: 'file', 'folder' or undefined
 * @throws an Error that names the page and the link, if the link leads nowhere
 */
export const siteLinks = (markdown, from, { pages, repository, kindOf }) => {
  const images = []
  const here = pages.get(from).path
  const onGitHub = new RegExp(`^${repository}/(?:blob|tree)/main/`)

  /** The link of the site, with the title of the page that it leads to. */
  const resolve = target => {
    if (/^(?:[a-z]+:|#)/.test(target) && !onGitHub.test(target)) return { href: target }
    const inRepository = onGitHub.test(target)
      ? target.replace(onGitHub, '')
      : posix.join(posix.dirname(from), target)
    const [, path, hash = ''] = /^([^#]*?)\/?(#.*)?$/.exec(inRepository)
    const page = pages.get(path)
    if (page !== undefined) return { href: relative(here, page.path) + hash, title: page.title }
    const kind = kindOf(path)
    if (kind === undefined) throw new Error(`${from}: the link ${target} leads nowhere`)
    if (/\.(?:svg|png)$/.test(path)) {
      images.push(path)
      return { href: relative(here, path) }
    }
    return { href: `${repository}/${kind === 'folder' ? 'tree' : 'blob'}/main/${path}${hash}` }
  }

  const rewrite = (_, fileName, target) => {
    const { href, title } = resolve(target)
    return `${fileName === undefined ? '' : `[${title ?? fileName}`}](${href})`
  }

  const text = markdown
    .split(CODE)
    .map((part, index) => (index % 2 === 1 ? part : part.replace(LINK, rewrite)))
    .join('')
  return { text, images }
}
