import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const read = (url: URL): string => readFileSync(url, 'utf8')

const FOLDERS = [
  '',
  'docs/',
  'bench/',
  'examples/',
  'demo/',
  'ops/',
  'src/testing/',
  'test/kafka/',
  '.github/',
]

const pages = FOLDERS.filter(folder => existsSync(new URL(folder, root))).flatMap(folder =>
  readdirSync(new URL(folder, root), { recursive: folder !== '', encoding: 'utf8' })
    .map(path => folder + path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.md') && !path.includes('node_modules/')),
)

/** As GitHub makes them of headings. */
const anchorsOf = (markdown: string): Set<string> => {
  const anchors = new Set<string>()
  const text = markdown.replace(/^```[\s\S]*?^```$/gm, '')
  for (const [, heading] of text.matchAll(/^#{1,6} (.+)$/gm)) {
    anchors.add(
      heading!
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    )
  }
  return anchors
}

const linksOf = (markdown: string): string[] =>
  [...markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)

test.each(pages)('every link of %s leads somewhere', page => {
  const from = new URL(page, root)
  const broken = linksOf(read(from)).filter(target => {
    if (/^[a-z]+:/.test(target)) return false
    const url = new URL(target, from)
    const { hash } = url
    url.hash = ''
    if (!existsSync(url)) return true
    return (
      hash !== '' &&
      url.pathname.endsWith('.md') &&
      !anchorsOf(read(url)).has(decodeURIComponent(hash.slice(1)))
    )
  })
  expect(broken).toEqual([])
})
