import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { expect, test } from 'vitest'

const MOST_LINES = 300
/** Folders whose folders are rooms of their own. */
const DIVIDED = ['delivery', 'metadata', 'metrics', 'producer', 'topics', 'transport', 'testing']
const MOST_FILES = 10
/** Folders of equal files, in which a reader looks for one name: more of them make nothing harder to find. */
const CATALOGUES = new Map([
  ['errors', 'one file per error class'],
  ['protocol/messages', 'one file per message of the protocol'],
  ['testing/apis', 'one file per API of the embedded cluster'],
])

const source = new URL('../src/', import.meta.url)
const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map(path => path.replaceAll('\\', '/'))
  .filter(path => path.endsWith('.ts'))
const textOf = new Map(files.map(file => [file, readFileSync(new URL(file, source), 'utf8')]))

interface Import {
  readonly from: string
  readonly to: string
  /** Erased by the compiler. */
  readonly isType: boolean
}

const isTypeClause = (clause: string): boolean => {
  if (/^type\b/.test(clause)) return true
  const named = /^\{([\s\S]*)\}$/.exec(clause)?.[1]
  if (named === undefined) return false
  const names = named
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
  return names.length > 0 && names.every(each => each.startsWith('type '))
}

/** The imports of this package's own files: static, re-exported, and by `import()`. */
const importsOf = (from: string, text: string): Import[] => {
  const found = [
    ...[...text.matchAll(/^(?:import|export)\s+(?:([^'"]*?)\s+from\s+)?'([^']+)'/gm)].map(
      ([, clause = '', target]) => ({ target: target!, isType: isTypeClause(clause) }),
    ),
    ...[...text.matchAll(/(typeof )?import\(\s*'([^']+)'/g)].map(([, isType, target]) => ({
      target: target!,
      isType: isType !== undefined,
    })),
  ]
  return found
    .filter(({ target }) => target.startsWith('.'))
    .map(({ target, isType }) => ({
      from,
      to: posix.join(posix.dirname(from), target).replace(/\.js$/, '.ts'),
      isType,
    }))
}

const imports = files.flatMap(file => importsOf(file, textOf.get(file)!))

interface Room {
  readonly name: string
  /** Folders and files. */
  readonly places: readonly string[]
  readonly values: readonly string[]
  readonly types: readonly string[]
}

const names = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!)

/** The table under the heading 'Rooms': room | job | may know. What is behind 'types of' is known by its types alone. */
const readRooms = (markdown: string): Room[] => {
  const section = /^## Rooms$([\s\S]*?)^## /m.exec(markdown)?.[1] ?? ''
  return section
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => {
      const [, place = '', , known = ''] = line.split('|')
      const places = names(place).map(each => each.replace(/\/$/, ''))
      const [values = '', types = ''] = known.split('types of')
      return { name: places[0]!, places, values: names(values), types: names(types) }
    })
}

const page = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8')
const rooms = readRooms(page)

/** The room whose place is nearest to the file. */
const roomOf = (file: string): string | undefined => {
  let nearest = ''
  let found: string | undefined
  for (const { name, places } of rooms)
    for (const place of places)
      if ((file === place || file.startsWith(`${place}/`)) && place.length > nearest.length) {
        nearest = place
        found = name
      }
  return found
}

/** Groups of nodes from each of which each other one is reached (Tarjan). */
const circles = (edges: ReadonlyMap<string, ReadonlySet<string>>): string[][] => {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (node: string): void => {
    order.set(node, order.size)
    low.set(node, order.get(node)!)
    stack.push(node)
    for (const next of edges.get(node) ?? []) {
      if (!order.has(next)) visit(next)
      if (stack.includes(next)) low.set(node, Math.min(low.get(node)!, low.get(next)!))
    }
    if (low.get(node) !== order.get(node)) return
    const group = stack.splice(stack.indexOf(node))
    if (group.length > 1) found.push(group.sort())
  }
  for (const node of edges.keys()) if (!order.has(node)) visit(node)
  return found
}

const graph = (pairs: Iterable<readonly [string, string]>): Map<string, Set<string>> => {
  const edges = new Map<string, Set<string>>()
  for (const [from, to] of pairs) {
    if (from === to) continue
    const targets = edges.get(from) ?? new Set()
    edges.set(from, targets.add(to))
  }
  return edges
}

test('imports are found as the compiler sees them', () => {
  const text = [
    "import a, { type B } from './a.js'",
    "import type { C } from '../c.js'",
    'import {',
    '  type D,',
    '  type E,',
    "} from './d/e.js'",
    "export { f } from './f.js'",
    "export type { G } from './g.js'",
    "import './h.js'",
    "import kafkajs from 'kafkajs'",
    "const late = await import('./late.js')",
    "type Late = typeof import('./lateTypes.js')",
  ].join('\n')
  expect(
    importsOf('room/file.ts', text).map(({ to, isType }) => `${to} ${isType ? 'type' : 'value'}`),
  ).toEqual([
    'room/a.ts value',
    'c.ts type',
    'room/d/e.ts type',
    'room/f.ts value',
    'room/g.ts type',
    'room/h.ts value',
    'room/late.ts value',
    'room/lateTypes.ts type',
  ])
  const missing = imports.filter(({ to }) => !textOf.has(to))
  expect(missing).toEqual([])
})

test('circles are found, also those of three', () => {
  const edges = graph([
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
    ['c', 'd'],
    ['d', 'e'],
  ])
  expect(circles(edges)).toEqual([['a', 'b', 'c']])
})

test('every folder is a room of the table, and every place of the table is there', () => {
  const folders = new Set(
    files
      .filter(file => file.includes('/'))
      .map(file => {
        const [first = '', second = '', third] = file.split('/')
        return DIVIDED.includes(first) && third !== undefined ? `${first}/${second}` : first
      }),
  )
  const places = rooms.flatMap(room => room.places)
  expect([...folders].filter(folder => !places.includes(folder))).toEqual([])
  expect(files.filter(file => roomOf(file) === undefined)).toEqual([])
  expect(rooms.filter(({ name }) => !files.some(file => roomOf(file) === name))).toEqual([])
  const nowhere = places.filter(place => !files.some(file => file === place || file.startsWith(`${place}/`)))
  expect(nowhere).toEqual([])
})

test('every import between rooms is in the table, and every entry of the table is an import', () => {
  const values = new Map<string, string>()
  const types = new Map<string, string>()
  for (const { from, to, isType } of imports) {
    const arrow = `${roomOf(from)} -> ${roomOf(to)}`
    if (roomOf(from) !== roomOf(to)) (isType ? types : values).set(arrow, `${arrow} (${from} imports ${to})`)
  }
  // What is imported by value may be known by its types, too.
  for (const arrow of values.keys()) types.delete(arrow)
  const told = (kind: 'values' | 'types'): Set<string> =>
    new Set(rooms.flatMap(room => room[kind].map(known => `${room.name} -> ${known}`)))
  const compare = (found: ReadonlyMap<string, string>, allowed: ReadonlySet<string>) => ({
    'not in the table': [...found].filter(([arrow]) => !allowed.has(arrow)).map(([, text]) => text),
    'not in the code': [...allowed].filter(arrow => !found.has(arrow)),
  })
  const none = { 'not in the table': [], 'not in the code': [] }
  expect(compare(values, told('values'))).toEqual(none)
  expect(compare(types, told('types'))).toEqual(none)
})

test('every function that the page names is in the file that it names', () => {
  const named = [...page.matchAll(/`([\w/]+\.ts)` `(#?\w+)(?:\(\))?`/g)]
  expect(named.length).toBeGreaterThan(30)
  const missing = named.filter(([, path, name]) =>
    files
      .filter(file => file === path || file.endsWith(`/${path}`))
      .every(file => !new RegExp(`(?<![\\w#])${name}(?=[(<:]| = )`).test(textOf.get(file)!)),
  )
  expect(missing.map(([text]) => text)).toEqual([])
})

test('no value is imported in a circle, and no two rooms know each other, not even their types', () => {
  const values = imports.filter(({ isType }) => !isType)
  expect(circles(graph(values.map(({ from, to }) => [from, to] as const)))).toEqual([])
  expect(circles(graph(imports.map(({ from, to }) => [roomOf(from)!, roomOf(to)!] as const)))).toEqual([])
})

/** Files of one room whose types name each other, since what they describe is linked both ways. */
const LINKED_BOTH_WAYS = [
  // A destination has a line, and a line its destination.
  ['delivery/buffer/lineHeap.ts', 'delivery/buffer/shares.ts'],
  // Lists are linked through the queues that are in them; a queue's host makes what the queue holds.
  [
    'delivery/partitions/busyQueues.ts',
    'delivery/partitions/nextBatch.ts',
    'delivery/partitions/partitionQueue.ts',
    'delivery/partitions/partitionQueueHost.ts',
    'delivery/partitions/queueList.ts',
  ],
  // A topic has what waits for it, which knows its topic; a waiting record has its call, which knows where its records wait.
  [
    'delivery/waiting/callLinks.ts',
    'delivery/waiting/sendCompletion.ts',
    'delivery/waiting/topicPartitions.ts',
    'delivery/waiting/topicWait.ts',
    'delivery/waiting/waitLine.ts',
  ],
]

test('types are imported in a circle only within a room, where both ways are named', () => {
  const found = circles(graph(imports.map(({ from, to }) => [from, to] as const)))
  expect(found.sort()).toEqual(LINKED_BOTH_WAYS)
  for (const group of found) expect(new Set(group.map(roomOf)).size).toBe(1)
})

test(`no file is longer than ${MOST_LINES} lines`, () => {
  const long = files
    .map(file => ({ file, lines: textOf.get(file)!.split('\n').length - 1 }))
    .filter(({ lines }) => lines > MOST_LINES)
  expect(long).toEqual([])
})

test(`no folder has more than ${MOST_FILES} files, but for catalogues`, () => {
  const counts = new Map<string, number>()
  for (const file of files) {
    const folder = posix.dirname(file)
    counts.set(folder, (counts.get(folder) ?? 0) + 1)
  }
  const large = [...counts].filter(([, count]) => count > MOST_FILES).map(([folder]) => folder)
  expect(large.sort()).toEqual([...CATALOGUES.keys()].sort())
})

/** Comments left out. */
const usesAny = (line: string): boolean =>
  line.includes('noExplicitAny') ||
  /(?::|\bas|<|\||&|,|=>?)\s*any\b(?!\s*\()|\bany\[\]/.test(line.replace(/\/\/.*|^\s*(?:\/\*\*|\*).*/, ''))

test('nothing has the type any, and no line asks the linter to allow it', () => {
  const yes = [
    'x: any = 1',
    'y as any',
    'Array<any>',
    'f(a: any): void',
    'Record<string, any>',
    'z: any[]',
    '() => any',
  ]
  const no = [
    '// as: any',
    '   * of: any kind',
    'AbortSignal.any([a])',
    'anyBut: 1',
    "'company'",
    '/** x, any */',
  ]
  expect([yes.filter(line => !usesAny(line)), no.filter(usesAny)]).toEqual([[], []])
  const uses = files.flatMap(file =>
    textOf
      .get(file)!
      .split('\n')
      .flatMap((line, at) => (usesAny(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
  )
  expect(uses).toEqual([])
})
