import { createHash } from 'node:crypto'

/** Bytes that no codec makes smaller, the same on every run. */
export const noise = (length: number): Buffer => {
  const blocks: Buffer[] = []
  for (let at = 0; at < length; at += 32) blocks.push(createHash('sha256').update(`noise ${at}`).digest())
  return Buffer.concat(blocks).subarray(0, length)
}

export const text = (length: number): Buffer =>
  Buffer.alloc(
    length,
    '{"id":"ci39493936","mag":1.32,"place":"7km NW of The Geysers, CA","status":"automatic"}\n',
  )

/** Around every border: nothing, one byte, the turn to the thread pool, one block and several, a last block of one byte. */
export const bodies: readonly (readonly [what: string, body: Buffer])[] = [
  0, 1, 100, 32_767, 32_768, 65_535, 65_536, 65_537, 262_145,
].flatMap(size => [
  [`${size} bytes of text`, text(size)] as const,
  [`${size} bytes of noise`, noise(size)] as const,
])

/** Half text, half noise: some blocks shrink, some do not. */
export const mixed = Buffer.concat([text(70_000), noise(140_000), text(70_000)])
