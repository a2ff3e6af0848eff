import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'

const page = (path: string): URL => new URL(`../../${path}`, import.meta.url)
/** `UPDATE_DOCS=1 npx vitest run --project unit test/docs` writes what is generated anew. */
const isUpdate: boolean = (process.env.UPDATE_DOCS ?? process.env.UPDATE_README) !== undefined

/** The part of a page between its two comments is `content`. */
export const expectSection = (path: string, name: string, content: string): void => {
  const text = readFileSync(page(path), 'utf8')
  const [start, end] = [`<!-- ${name}: generated -->\n`, `\n<!-- /${name} -->`]
  const from = text.indexOf(start) + start.length
  const to = text.indexOf(end, from)
  expect(text.indexOf(start), `${path} has the section ${name}`).toBeGreaterThan(0)
  expect(to).toBeGreaterThanOrEqual(from)
  if (isUpdate) writeFileSync(page(path), text.slice(0, from) + content + text.slice(to))
  else expect(text.slice(from, to)).toBe(content)
}

/** The whole file is `content`. */
export const expectFile = (path: string, content: string): void => {
  if (isUpdate) writeFileSync(page(path), content)
  expect(existsSync(page(path)), `${path} is there`).toBe(true)
  expect(readFileSync(page(path), 'utf8')).toBe(content)
}
