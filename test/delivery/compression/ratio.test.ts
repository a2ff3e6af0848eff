import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CompressionRatio } from '../../../src/delivery/compression/ratio.js'

describe('the compression ratio', () => {
  it('gathers no more than the target while nothing is known', () => {
    expect(CompressionRatio.unknown.bytesToGather(100_000)).toBe(100_000)
  })

  it('begins with what the first batch showed, less a margin', () => {
    const ratio = CompressionRatio.unknown.after(4_000, 1_000)
    expect(ratio.value).toBe(4)
    expect(ratio.bytesToGather(100_000)).toBe(380_000)
  })

  it('falls fast and rises slowly', () => {
    const start = CompressionRatio.unknown.after(4, 1)
    expect(start.after(2, 1).value).toBeCloseTo(3)
    expect(start.after(6, 1).value).toBeCloseTo(4.2)
  })

  it('comes to what the batches show', () => {
    let ratio = CompressionRatio.unknown.after(10, 1)
    for (let i = 0; i < 30; i++) ratio = ratio.after(3, 1)
    expect(ratio.value).toBeCloseTo(3)
    for (let i = 0; i < 100; i++) ratio = ratio.after(5, 1)
    expect(ratio.value).toBeCloseTo(5)
  })

  it('is a value: what it was stays what it was', () => {
    const before = CompressionRatio.unknown.after(4, 1)
    before.after(1, 1)
    expect(before.value).toBe(4)
    expect(CompressionRatio.unknown.value).toBe(1)
  })

  it('stays within one and eight times the target, whatever is seen', () => {
    const size = fc.oneof(fc.integer({ min: -1, max: 2 ** 31 }), fc.constant(Number.NaN))
    fc.assert(
      fc.property(fc.array(fc.tuple(size, size)), fc.integer({ min: 1, max: 2 ** 28 }), (seen, target) => {
        const ratio = seen.reduce(
          (sum, [plain, packed]) => sum.after(plain, packed),
          CompressionRatio.unknown,
        )
        const gathered = ratio.bytesToGather(target)
        expect(gathered).toBeGreaterThanOrEqual(target)
        expect(gathered).toBeLessThanOrEqual(8 * target)
        expect(Number.isInteger(gathered)).toBe(true)
      }),
    )
  })
})
