const SMALLEST = 1_024
const LARGEST = 65_536

/**
 * How many bytes of output node:zlib works on at a time: each further chunk is another turn through the thread pool and
 * a copy, while a result keeps the whole of its chunk in memory. Half of the input fits most records into one.
 */
export const outputChunkBytes = (inputBytes: number): number =>
  Math.min(LARGEST, Math.max(SMALLEST, inputBytes >>> 1))
