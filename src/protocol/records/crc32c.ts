import { KERNEL_INPUT_BYTES, KERNEL_TABLE_BYTES, loadKernel } from './crc32cKernel.js'

/** CRC-32C's polynomial (Castagnoli; RFC 3720, appendix B.4), reversed. */
const POLYNOMIAL = 0x82f63b78
const SLICES = 16

/** Slice k holds the checksum of a byte that k zero bytes follow. */
const table = new Int32Array(SLICES * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  table[byte] = crc
}
for (let byte = 0; byte < 256; byte++) {
  let crc = table[byte]!
  for (let slice = 1; slice < SLICES; slice++) {
    crc = table[crc & 0xff]! ^ (crc >>> 8)
    table[slice * 256 + byte] = crc
  }
}

const kernel = loadKernel(new Uint8Array(table.buffer))

/** Below this the copy into the kernel's memory costs more than it saves. bytes */
const KERNEL_FROM_BYTES = 256

/**
 * The checksum of a record batch.
 *
 * @param seed the checksum of the bytes before these, to go on from; 0 to begin
 * @returns an unsigned 32-bit number
 */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number => {
  let crc = ~seed
  let at = start
  if (kernel !== undefined) {
    while (end - at >= KERNEL_FROM_BYTES) {
      const length = Math.min(end - at, KERNEL_INPUT_BYTES) & ~15
      kernel.memory.set(bytes.subarray(at, at + length), KERNEL_TABLE_BYTES)
      crc = kernel.crc(KERNEL_TABLE_BYTES, length, crc)
      at += length
    }
  }
  for (const last = end - 3; at < last; at += 4) {
    const word = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      table[768 + (word & 0xff)]! ^
      table[512 + ((word >>> 8) & 0xff)]! ^
      table[256 + ((word >>> 16) & 0xff)]! ^
      table[word >>> 24]!
  }
  for (; at < end; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
