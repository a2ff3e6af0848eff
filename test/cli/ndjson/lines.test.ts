import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineSplitter } from '../../../src/cli/ndjson/lines.js'

const split = (chunks: readonly Buffer[], maxLineBytes = 1000) => {
  const splitter = new LineSplitter(maxLineBytes)
  return [...chunks.flatMap(chunk => [...splitter.push(chunk)]), ...splitter.end()].map(
    ({ number, bytes }) => [number, bytes?.toString('utf8')] as const,
  )
}
const splitText = (text: string, maxLineBytes?: number) => split([Buffer.from(text)], maxLineBytes)

describe('LineSplitter', () => {
  it('numbers lines from 1, counts empty ones and leaves them out', () => {
    expect(splitText('a\n\nb\n\r\nc\n')).toEqual([
      [1, 'a'],
      [3, 'b'],
      [5, 'c'],
    ])
  })

  it('gives the last line although nothing ends it', () => {
    expect(splitText('a\nb')).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
    expect(splitText('')).toEqual([])
  })

  it('takes CRLF as one ending, also when a chunk ends between the two', () => {
    expect(splitText('a\r\nb\r\n')).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
    expect(split([Buffer.from('a\r'), Buffer.from('\nb')])).toEqual([
      [1, 'a'],
      [2, 'b'],
    ])
  })

  it('drops a byte order mark at the start only', () => {
    expect(splitText('\ufeffa\n\ufeffb\n')).toEqual([
      [1, 'a'],
      [2, '\ufeffb'],
    ])
  })

  it('gives a line over the bound without its bytes and goes on behind it', () => {
    expect(splitText('12345\n123456\r\n12345\r\n', 5)).toEqual([
      [1, '12345'],
      [2, undefined],
      [3, '12345'],
    ])
    expect(splitText('123456', 5)).toEqual([[1, undefined]])
  })

  it('holds no more of an endless line than the bound', () => {
    const splitter = new LineSplitter(1024)
    const chunk = Buffer.alloc(64 * 1024, 'x')
    let lines = 0
    for (let i = 0; i < 1000; i++) lines += [...splitter.push(chunk)].length
    expect(lines).toBe(0)
    expect((splitter as unknown as { pieces: Buffer[] }).pieces).toEqual([])
    expect([...splitter.push(Buffer.from('\nok\n'))].map(line => line.bytes?.toString())).toEqual([
      undefined,
      'ok',
    ])
  })

  it('gives the same lines however the bytes are cut into chunks', () => {
    const text = fc.array(fc.oneof(fc.constant('\n'), fc.constant('\r\n'), fc.string({ unit: 'grapheme' })))
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), fc.integer({ min: 1, max: 30 }), (parts, cuts, bound) => {
        const bytes = Buffer.from(parts.join(''))
        const chunks: Buffer[] = []
        let rest = bytes
        for (const cut of cuts) {
          chunks.push(rest.subarray(0, cut))
          rest = rest.subarray(cut)
        }
        expect(split([...chunks, rest], bound)).toEqual(split([bytes], bound))
      }),
    )
  })
})
