/**
 * CRC-32C (Castagnoli; RFC 3720, appendix B.4), as record batches v2 carry it.
 *
 * Sixteen bytes a step through sixteen tables (slicing-by-16): the loop's cost is its serial chain of look-ups, so
 * wider steps pay until the tables (16 KiB) leave the first-level cache.
 */
const POLYNOMIAL = 0x82f63b78
const SLICES = 16

const tables: Int32Array[] = Array.from({ length: SLICES }, () => new Int32Array(256))
for (let byte = 0; byte < 256; byte++) {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1
  tables[0]![byte] = crc
}
for (let byte = 0; byte < 256; byte++) {
  let crc = tables[0]![byte]!
  for (let slice = 1; slice < SLICES; slice++) {
    crc = tables[0]![crc & 0xff]! ^ (crc >>> 8)
    tables[slice]![byte] = crc
  }
}
const [T0, T1, T2, T3, T4, T5, T6, T7, T8, T9, T10, T11, T12, T13, T14, T15] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
]

/**
 * @param seed the checksum of the bytes before these, to go on from; 0 to begin
 * @returns the checksum as an unsigned 32-bit number
 */
export const crc32c = (bytes: Uint8Array, start = 0, end = bytes.length, seed = 0): number => {
  let crc = ~seed
  let at = start
  for (const last = end - 15; at < last; at += 16) {
    const word0 = crc ^ (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24))
    crc =
      T15[word0 & 0xff]! ^
      T14[(word0 >>> 8) & 0xff]! ^
      T13[(word0 >>> 16) & 0xff]! ^
      T12[word0 >>> 24]! ^
      T11[bytes[at + 4]!]! ^
      T10[bytes[at + 5]!]! ^
      T9[bytes[at + 6]!]! ^
      T8[bytes[at + 7]!]! ^
      T7[bytes[at + 8]!]! ^
      T6[bytes[at + 9]!]! ^
      T5[bytes[at + 10]!]! ^
      T4[bytes[at + 11]!]! ^
      T3[bytes[at + 12]!]! ^
      T2[bytes[at + 13]!]! ^
      T1[bytes[at + 14]!]! ^
      T0[bytes[at + 15]!]!
  }
  for (; at < end; at++) crc = T0[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}
