import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as errors from '../../src/errors/index.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
type Classes = Record<string, new (...args: never[]) => Error>
let minified: Classes
let folder: string

beforeAll(async () => {
  // Where kafkajs is found.
  folder = await mkdtemp(join(root, 'node_modules', '.minified-'))
  const build = await rolldown({
    input: join(root, 'src', 'errors', 'index.ts'),
    platform: 'node',
    external: ['kafkajs'],
  })
  await build.write({ dir: folder, minify: true, entryFileNames: 'errors.mjs' })
  await build.close()
  minified = await import(/* @vite-ignore */ join(folder, 'errors.mjs'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('in a minified bundle', () => {
  test('every error class has its name', () => {
    expect(Object.entries(minified).map(([, each]) => each.name)).toEqual(Object.keys(minified))
    expect(Object.keys(minified).sort()).toEqual(Object.keys(errors).sort())
  })

  test('so have the errors, in `name` and in what is printed', () => {
    const { InvalidMessageError, BufferFullError } = minified as unknown as typeof errors
    const error = new BufferFullError('orders', { bufferBytes: 1, waitedMs: 2 })
    expect(error.name).toBe('BufferFullError')
    expect(String(error)).toMatch(/^BufferFullError: /)
    expect(new InvalidMessageError('t', 0, 'no value').name).toBe('InvalidMessageError')
  })
})

test('a class of a user’s that extends one has its own name', () => {
  class OrdersFull extends errors.BufferFullError {}
  const error = new OrdersFull('orders', { bufferBytes: 1, waitedMs: 2 })
  expect(error.name).toBe('OrdersFull')
})
