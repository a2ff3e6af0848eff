import { readdirSync, readFileSync } from 'node:fs'
import vm from 'node:vm'
import { describe, expect, test } from 'vitest'
import { asError, isBytes, isError, isPromiseLike } from '../../src/util/realms.js'

const foreign = (code: string): unknown => vm.runInNewContext(code)

describe('values of another realm', () => {
  test('are known for what they are', () => {
    expect(isError(foreign('new RangeError("x")'))).toBe(true)
    expect(isError(foreign('new (class extends Error {})("x")'))).toBe(true)
    expect(isError(Object.create(new Error('a copy')))).toBe(true)
    expect(isError(foreign('({ message: "x", stack: "" })'))).toBe(false)
    expect(isBytes(foreign('new Uint8Array(1)'))).toBe(true)
    expect(isBytes(Buffer.alloc(1))).toBe(true)
    expect(isBytes(foreign('new Uint16Array(1)'))).toBe(false)
    expect(isPromiseLike(foreign('Promise.resolve()'))).toBe(true)
    expect(isPromiseLike(Buffer.alloc(1))).toBe(false)
    const error = foreign('new Error("x")')
    expect(asError(error)).toBe(error)
    expect(asError('x').message).toBe('x')
  })

  /** The command is always in Node's realm; what intake asks is what its own parts answered, for each record. */
  test('are asked for by no `instanceof` in what runs inside of other programs', () => {
    const src = new URL('../../src/', import.meta.url)
    const files = (readdirSync(src, { recursive: true }) as string[]).filter(
      each => each.endsWith('.ts') && !/^(cli|delivery\/intake|transport)\/|^util\/realms/.test(each),
    )
    const found = files.flatMap(file =>
      [
        ...readFileSync(new URL(file, src), 'utf8').matchAll(
          /.*instanceof (Error|Promise|Uint8Array|Map|Set|Date|RegExp|AggregateError|ArrayBuffer)\b.*/g,
        ),
      ].map(([line]) => `${file}: ${line.trim()}`),
    )
    expect(found).toEqual([])
  })
})
