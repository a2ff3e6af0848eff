import { promisify } from 'node:util'
import { gzip as gzipCallback, gzipSync } from 'node:zlib'
import type { Compress } from '../compressor.js'
import { outputChunkBytes } from './outputChunk.js'

const gzip = promisify(gzipCallback)

/** 16 KiB cost the event loop as much as handing them over does, 80-100 us (Node 20 and 24). */
const ASYNC_FROM_BYTES = 16_384

/** gzip by node:zlib, at its default level (6), which is kafkajs's and Kafka's. */
export const createGzip = (): Compress => body => {
  const options = { chunkSize: outputChunkBytes(body.length) }
  return body.length < ASYNC_FROM_BYTES ? gzipSync(body, options) : gzip(body, options)
}
