// Makes the site's pages of the repository's Markdown, in `.pages/`, and its sidebar. VitePress reads them there.
import { cpSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { homeOf } from './home.mjs'
import { siteLinks } from './links.mjs'
import { sitePages } from './pages.mjs'
import { repository, root } from './repository.mjs'
import { sidebarOf } from './sidebar.mjs'

export const output = fileURLToPath(new URL('../.pages/', import.meta.url))

const HERO = {
  image: { src: '/logo.svg', alt: '' },
  actions: [
    { theme: 'brand', text: 'Documentation', link: '/docs/' },
    { theme: 'alt', text: 'Moving from kafkajs', link: '/docs/migrating-from-kafkajs' },
    { theme: 'alt', text: 'API', link: '/api/' },
  ],
}

const kindOf = path => {
  const stats = statSync(root + path, { throwIfNoEntry: false })
  return stats && (stats.isDirectory() ? 'folder' : 'file')
}

const write = (path, text) => {
  mkdirSync(dirname(output + path), { recursive: true })
  writeFileSync(output + path, text)
}

/** Removes the pages of files that are gone; those of the API reference are typedoc's. */
const removeAllBut = written => {
  for (const path of readdirSync(output, { recursive: true, encoding: 'utf8' }).map(each =>
    each.replaceAll('\\', '/'),
  ))
    if (path.endsWith('.md') && !path.startsWith('api/') && !written.has(path)) rmSync(output + path)
}

/** Writes every page and returns the sidebar. */
export const generate = () => {
  const pages = sitePages()
  const texts = new Map()
  for (const [source, { path, markdown }] of pages) {
    const { text, images } = siteLinks(markdown, source, { pages, repository, kindOf })
    texts.set(path, text)
    for (const image of images) cpSync(root + image, output + image)
    const home = path === 'index.md' ? homeOf(text, HERO) : { frontmatter: {}, body: text }
    write(path, `---\n${JSON.stringify({ ...home.frontmatter, source })}\n---\n\n${home.body}`)
  }
  removeAllBut(texts)
  return sidebarOf(path => texts.get(path), [...texts.keys()])
}
