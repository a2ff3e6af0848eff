import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import loadWabt from 'wabt'
import { crc32c } from '../../../src/protocol/records/crc32c.js'
import { KERNEL_INPUT_BYTES, kernelModule } from '../../../src/protocol/records/crc32cKernel.js'

test('the kernel is what its text assembles to', async () => {
  const wabt = await loadWabt()
  const name = new URL('../../../src/protocol/records/crc32c.wat', import.meta.url)
  const assembled = wabt.parseWat('crc32c.wat', readFileSync(name, 'utf8')).toBinary({}).buffer
  expect(Buffer.from(assembled).equals(kernelModule())).toBe(true)
})

/** One bit at a time, as the definition says. */
const bitwise = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  }
  return ~crc >>> 0
}

test.each([0, 1, 15, 16, 17, 255, 256, 257, 4096, KERNEL_INPUT_BYTES - 1, KERNEL_INPUT_BYTES + 17, 600_001])(
  'CRC-32C of %i bytes is the same by kernel, by tables and by definition',
  length => {
    const bytes = Buffer.alloc(length + 3)
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 2654435761) >>> 13
    const part = bytes.subarray(3)
    expect(crc32c(bytes, 3)).toBe(bitwise(part))
    const middle = Math.floor(length / 3)
    expect(crc32c(part, middle, length, crc32c(part, 0, middle))).toBe(bitwise(part))
  },
)

test("RFC 3720's vectors", () => {
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa)
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43)
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
})
