#!/usr/bin/env node
// `instanceof` of JavaScript's own classes answers false across realms (Jest, jsdom, vm), and jsdom's timers have no unref(): what runs inside
// of other programs asks src/util/realms.ts.
import { readdirSync, readFileSync } from 'node:fs'

const src = new URL('../src/', import.meta.url)
const ASKED =
  /^.*(?:\.unref\(\)|\binstanceof (?:Error|Promise|Uint8Array|Map|Set|Date|RegExp|AggregateError|ArrayBuffer|AbortSignal)\b).*$/gm
/** The command is always in Node's realm; what intake asks is what its own parts answered, for each record. */
const EXEMPT = /^(cli|delivery\/intake)\/|^util\/realms\.ts$/

const files = readdirSync(src, { recursive: true }).filter(file => file.endsWith('.ts') && !EXEMPT.test(file))
const found = files.flatMap(file =>
  [...readFileSync(new URL(file, src), 'utf8').matchAll(ASKED)].map(
    ([line]) => `src/${file}: ${line.trim()}`,
  ),
)
for (const line of found) console.error(line)
if (found.length > 0) {
  console.error(
    'In Jest, jsdom and vm contexts these are of another realm: use isError, asError, isBytes, isPromiseLike or unref of src/util/realms.ts, or node:util types.',
  )
  process.exitCode = 1
}
