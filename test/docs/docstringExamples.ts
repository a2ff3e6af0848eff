import { readdirSync, readFileSync } from 'node:fs'
import * as main from 'kafkajs-resilient-producer'
import * as opentelemetry from 'kafkajs-resilient-producer/opentelemetry'
import * as testing from 'kafkajs-resilient-producer/testing'

const source = new URL('../../src/', import.meta.url)

export interface DocstringExample {
  /** The file and its number there: `src/kafka.ts @example 1`. */
  readonly name: string
  readonly program: string
}

/** What an example may take for granted, by its type. */
const GIVEN: Readonly<Record<string, readonly [type: string, entry: string]>> = {
  kafka: ['ResilientKafka', ''],
  producer: ['ResilientProducer', ''],
  consumer: ['ResilientConsumer', ''],
  transaction: ['ResilientTransaction', ''],
  cluster: ['EmbeddedKafka', '/testing'],
  gate: ['Gate', '/testing'],
}

const ENTRIES = { '': main, '/opentelemetry': opentelemetry, '/testing': testing }

/** The text of each `@example` of a file, with the interface that it is in, if it is in one. */
export const examplesIn = (text: string): { readonly code: string; readonly owner: string | undefined }[] =>
  [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap(({ 0: comment, index }) => {
    const before = text.slice(0, index)
    const owner =
      before.lastIndexOf('\n}') < before.lastIndexOf('export interface ')
        ? /[\s\S]*export interface (\w+)/.exec(before)?.[1]
        : undefined
    const lines = comment
      .slice('/**'.length, -'*/'.length)
      .split('\n')
      .map(line => line.replace(/^\s*\* ?/, ''))
    return lines
      .join('\n')
      .split(/^@/m)
      .filter(block => block.startsWith('example'))
      .map(block => ({
        code: block
          .slice('example'.length)
          .replaceAll(/^```.*$/gm, '')
          .trim(),
        owner,
      }))
  })

/** Not as a property or a key; what is spread (`...name`) is used. */
const uses = (code: string, name: string): boolean =>
  new RegExp(`(?<!\\w)(?<!(?<!\\.\\.)\\.)${name}\\b(?!:)`).test(code)
const makes = (code: string, name: string): boolean =>
  new RegExp(`\\b(?:const|using|let|class) ${name}\\b|import \\{[^}]*\\b${name}\\b[^}]*\\}`).test(code)

/** Where an example stands. */
interface Origin {
  /** The file, as an import names it. */
  readonly from: string
  /** The file's exports. */
  readonly exports: readonly { readonly name: string; readonly isType: boolean }[]
  /** The interface that it is in. */
  readonly owner?: string | undefined
}

/** A program around an example: fields of an interface are checked against it, and what it takes for granted is declared. */
export const programOf = (code: string, { from, exports, owner }: Origin): string => {
  const isField = code.startsWith('{') && owner !== undefined
  const lines: string[] = isField ? [`import type { ${owner} } from '${from}'`] : []
  const needs = (name: string): boolean => uses(code, name) && !makes(code, name)
  for (const [name, [type, entry]] of Object.entries(GIVEN))
    if (needs(name)) lines.push(`declare const ${name}: import('kafkajs-resilient-producer${entry}').${type}`)
  const found = new Set<string>()
  for (const [entry, module] of Object.entries(ENTRIES)) {
    const names = Object.keys(module).filter(needs)
    for (const name of names) found.add(name)
    if (names.length > 0)
      lines.push(`import { ${names.join(', ')} } from 'kafkajs-resilient-producer${entry}'`)
  }
  for (const { name, isType } of exports)
    if (needs(name) && !found.has(name))
      lines.push(`import ${isType ? 'type ' : ''}{ ${name} } from '${from}'`)
  const body = isField ? `export const fields: Partial<${owner}> = ${code}` : code
  return [...lines, body, 'export {}', ''].join('\n')
}

const exportsOf = (text: string): Origin['exports'] =>
  [...text.matchAll(/^export (?:async )?(const|function|class|interface|type) (\w+)/gm)].map(
    ([, kind, name]) => ({
      name: name!,
      isType: kind === 'interface' || kind === 'type',
    }),
  )

/** Each `@example` of the sources, as a program that compiles where the example does. */
export const docstringExamples = (): DocstringExample[] =>
  readdirSync(source, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.ts'))
    .sort()
    .flatMap(path => {
      const text = readFileSync(new URL(path, source), 'utf8')
      const origin = { from: `../../../src/${path.replace(/\.ts$/, '.js')}`, exports: exportsOf(text) }
      return examplesIn(text).map(({ code, owner }, index) => ({
        name: `src/${path} @example ${index + 1}`,
        program: programOf(code, { ...origin, owner }),
      }))
    })
