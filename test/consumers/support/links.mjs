// The relative links of packed documents: each must lead to a file of the package, since npm's page and node_modules have no others.
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

const LINK = /!?\[[^\]]*\]\(([^)\s]+)\)|\b(?:src|href|srcset)="([^"\s]+)"/g

/** Links of the Markdown files below `folder` that lead nowhere, as `file: link`. */
export async function deadLinks(folder) {
  const files = (await readdir(folder, { recursive: true })).filter(
    file => file.endsWith('.md') && !file.includes('node_modules'),
  )
  const dead = []
  for (const file of files) {
    const text = (await readFile(join(folder, file), 'utf8'))
      .replaceAll(/^```[\s\S]*?^```/gm, '')
      .replaceAll(/`[^`\n]*`/g, '')
    for (const [, markdown, html] of text.matchAll(LINK)) {
      const path = (markdown ?? html).split('#')[0]
      if (path === '' || /^[a-z]+:/i.test(path)) continue
      if (!existsSync(join(folder, dirname(file), path)))
        dead.push(`${relative('.', file)}: ${markdown ?? html}`)
    }
  }
  return dead
}
