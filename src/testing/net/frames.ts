import { MalformedMessageError } from '../../protocol/wire/malformed.js'

const SIZE_BYTES = 4

/** Cuts a stream of bytes into the protocol's frames (a size, then that many bytes). */
export class FrameSplitter {
  private chunks: Buffer[] = []
  private buffered = 0
  private readonly maxBytes: number

  /** @param maxBytes `socket.request.max.bytes` of the broker */
  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  get bufferedBytes(): number {
    return this.buffered
  }

  push(chunk: Buffer): void {
    this.chunks.push(chunk)
    this.buffered += chunk.length
  }

  /**
   * The next whole frame without its size, or undefined. The frame is a buffer of its own or a view of one that
   * nobody writes to again, so that logs may keep parts of it.
   *
   * @throws {MalformedMessageError} on a size no broker accepts; nothing is allocated for it
   */
  next(): Buffer | undefined {
    if (this.buffered < SIZE_BYTES) return undefined
    if (this.chunks[0]!.length < SIZE_BYTES) this.join()
    const size = this.chunks[0]!.readInt32BE(0)
    if (size < 0 || size > this.maxBytes) throw new MalformedMessageError(`a frame of ${size} bytes`)
    if (this.buffered < SIZE_BYTES + size) return undefined
    if (this.chunks[0]!.length < SIZE_BYTES + size) this.join()
    const chunk = this.chunks[0]!
    this.buffered -= SIZE_BYTES + size
    const rest = chunk.subarray(SIZE_BYTES + size)
    if (rest.length > 0) this.chunks[0] = rest
    else this.chunks.shift()
    return chunk.subarray(SIZE_BYTES, SIZE_BYTES + size)
  }

  private join(): void {
    this.chunks = [Buffer.concat(this.chunks)]
  }
}
