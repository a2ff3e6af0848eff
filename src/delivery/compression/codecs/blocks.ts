/**
 * The block size of both framings. Snappy compresses in fragments of 64 KiB anyway (larger blocks gain nothing), and
 * readers allocate one block at a time: larger ones become humongous objects on a broker's heap.
 */
const BLOCK_BYTES = 65_536

/**
 * From here on the thread pool is cheaper for the event loop than the work itself: 32 KiB cost 30-110 us of it, handing
 * a block over 15-25 us (lz4-napi 2.10 and snappy 7.4, Node 24).
 */
const ASYNC_FROM_BYTES = 32_768

export interface BlockCodec {
  readonly compressSync: (block: Buffer) => Buffer
  readonly compress: (block: Buffer) => Promise<Buffer>
}

/** Compresses a body block by block, all of them at the same time where it is large, and joins them to one frame. */
export const compressBlocks = (
  body: Buffer,
  codec: BlockCodec,
  join: (compressed: readonly Buffer[], blocks: readonly Buffer[]) => Buffer,
): Buffer | Promise<Buffer> => {
  const blocks: Buffer[] = []
  for (let at = 0; at < body.length; at += BLOCK_BYTES) blocks.push(body.subarray(at, at + BLOCK_BYTES))
  if (body.length < ASYNC_FROM_BYTES) return join(blocks.map(codec.compressSync), blocks)
  return Promise.all(blocks.map(codec.compress)).then(compressed => join(compressed, blocks))
}
