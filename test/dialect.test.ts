import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

/** Words that this project once had for what has a name, and turns of phrase that an English reader has to translate. */
const REPLACED: readonly (readonly [pattern: RegExp, write: string])[] = [
  [
    /\b(?:one|an? [a-z-]+) an? (?:broker|topic-partition|partition|producer|file|batch|property|subcommand|message|thread|client)\b/i,
    'one per broker',
  ],
  [/\bonce an? (?:record|message|batch|call)[,:;.)'`]/i, 'once per record'],
  [/\b(?:go|goes|going|went) again\b/i, 'is retried'],
  [/\bunknown fate\b|\bfate (?:is|was) unknown\b|fateUnknown/i, 'of unknown outcome'],
  [/\bstands? behind\b/i, 'follows'],
  [/\blanes?\b|\w+Lane\b/, 'partition queue'],
  [/\bflights\b|\bFlight\b/, 'in-flight request'],
  [/\bpassengers?\b/i, 'in-flight batch'],
  [/\bsettlements?\b/i, 'response handler'],
  [/\bendings\b/i, 'batch completion'],
  [/\brecall(?:s|ed|ing)?\b/i, 'withdrawal'],
  [/\brosters?\b|Roster\b/, 'topic registry'],
  [/\b(?:shipment|consignment)s?\b/i, 'routed batch'],
  [/\benrol(?:s|led|ment)?\b|Enrol/, 'transaction partitions'],
  [/\bunplaced\b/i, 'wait failures'],
  [/\bhurry\b/i, 'without linger'],
]

const FOLDERS = ['.github', 'bench', 'demo', 'docs', 'examples', 'ops', 'scripts', 'src', 'test']
const root = fileURLToPath(new URL('../', import.meta.url))

const filesIn = (folder: string): string[] =>
  readdirSync(`${root}${folder}`, { withFileTypes: true }).flatMap(entry => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (!entry.isDirectory()) return /\.(?:ts|mts|mjs|md|yml)$/.test(path) ? [path] : []
    return (folder === '' && !FOLDERS.includes(path)) || entry.name === 'node_modules' ? [] : filesIn(path)
  })

const files = filesIn('').filter(path => path !== 'test/dialect.test.ts')

const findIn = (text: string): string[] =>
  text
    .split('\n')
    .flatMap((line, at) =>
      REPLACED.flatMap(([pattern, write]) =>
        pattern.test(line) ? [`${at + 1}: ${line.trim()} (write: ${write})`] : [],
      ),
    )

test.each([
  ['a lock a broker: one request at a time', 1],
  ['is called once a record, in order', 1],
  ['the rest goes again', 1],
  ['a batch of unknown fate', 1],
  ['class TopicLane {', 1],
  ['one per broker; once a record is refused, it is retried; airplane; in flight', 0],
])('%s', (text, count) => {
  expect(findIn(text)).toHaveLength(count)
})

test('code, documents and tests use the terms of the glossary, in plain English', () => {
  expect(files.length).toBeGreaterThan(900)
  const found = files.flatMap(path =>
    findIn(readFileSync(`${root}${path}`, 'utf8')).map(hit => `${path}:${hit}`),
  )
  expect(found).toEqual([])
})
