import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeBlocks, programOf } from './codeBlocks.js'
import { docstringExamples, programOf as exampleOf, examplesIn } from './docstringExamples.js'

/** Inside the project, where imports of the package lead to its sources. */
const folder = new URL('./.blocks/', import.meta.url)
const blocks = codeBlocks()
const examples = docstringExamples()
const fileOf = (index: number): string => fileURLToPath(new URL(`block${index}.ts`, folder))

let cluster: EmbeddedKafka

beforeAll(async () => {
  cluster = await EmbeddedKafka.start()
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  for (const [index, block] of blocks.entries()) {
    writeFileSync(fileOf(index), programOf(block).replaceAll('localhost:9092', cluster.bootstrap[0]!))
  }
  for (const [index, { program }] of examples.entries())
    writeFileSync(fileURLToPath(new URL(`example${index}.ts`, folder)), program)
})

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true })
  await cluster.close({ clients: 'may-stay' } as never).catch(() => {})
})

test('there are code blocks and examples', () => {
  expect(blocks.length).toBeGreaterThan(10)
  expect(examples.length).toBeGreaterThan(80)
})

test('an example is found with the interface that it is in, and becomes a program', () => {
  const text = [
    '/** One line. */',
    'export interface Options {',
    '  /**',
    '   * A time.',
    '   *',
    '   * @example { timeMs: 1 }',
    '   * @see KIP-1',
    '   */',
    '  readonly timeMs: number',
    '}',
    '/**',
    ' * @example',
    ' * ```ts',
    ' * await producer.flush()',
    ' * ```',
    ' */',
    'export const flushed = true',
  ].join('\n')
  expect(examplesIn(text)).toEqual([
    { code: '{ timeMs: 1 }', owner: 'Options' },
    { code: 'await producer.flush()', owner: undefined },
  ])
  const origin = { from: './options.js', exports: [{ name: 'flushed', isType: false }] }
  expect(exampleOf('await producer.flush()', origin)).toContain('declare const producer: ')
  expect(exampleOf('console.log(flushed)', origin)).toContain("import { flushed } from './options.js'")
  expect(exampleOf('{ timeMs: 1 }', { ...origin, owner: 'Options' })).toContain('Partial<Options> = {')
})

test('every code block of the documentation and every example of a docstring compiles', async () => {
  const config = fileURLToPath(new URL('tsconfig.json', folder))
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../../../tsconfig.json',
      // An example shows a part of a program: what it declares may be used by its reader alone.
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false, isolatedModules: false },
      include: ['*.ts'],
      exclude: [],
    }),
  )
  const { stdout } = await promisify(execFile)(process.execPath, [
    fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url)),
    '--noEmit',
    '-p',
    config,
  ]).catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? String(error) }))
  const named = stdout.replace(
    /(?:\S*\/)?(block|example)(\d+)\.ts/g,
    (_, kind: string, index: string) => (kind === 'block' ? blocks : examples)[Number(index)]!.name,
  )
  expect(named).toBe('')
}, 60_000)

test.each(blocks.map((block, index) => [block.name, block, index] as const).filter(([, { runs }]) => runs))(
  '%s runs',
  async (_name, _block, index) => {
    await import(/* @vite-ignore */ fileOf(index))
  },
  30_000,
)
