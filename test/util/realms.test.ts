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
})
