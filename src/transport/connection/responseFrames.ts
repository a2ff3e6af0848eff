/** librdkafka's default for `receive.message.max.bytes` is 100,000,000. bytes */
export const MAX_RESPONSE_BYTES = 100 * 1024 * 1024
/** Up to this size a response that comes in pieces gets its whole buffer at once. bytes */
const AT_ONCE_BYTES = 1024 * 1024

export interface FrameReceiver {
  /** The sizes that the next frame may have, as far as the requests in flight allow it. bytes */
  frameBounds(): { readonly min: number; readonly max: number }
  /** One frame, without its size. The buffer may be a view of what the socket gave. */
  onFrame(frame: Buffer): void
  /** A size that cannot be: nothing behind it can be understood. */
  onImpossibleSize(size: number): void
  /** The rest of a packet whose first response closed the connection is left alone. */
  readonly closedWith: Error | undefined
}

/** Cuts the bytes of one connection into frames: int32 size, then as many bytes. A frame that came whole is not copied. */
export class ResponseFrames {
  readonly #receiver: FrameReceiver
  #header = 0
  #headerBytes = 0
  /** The frame that has come in part. It grows as its bytes come, not by what is announced. */
  #partial: Buffer | undefined
  #filled = 0
  #size = 0

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver
  }

  push(data: Buffer): void {
    const receiver = this.#receiver
    let at = 0
    while (at < data.length && receiver.closedWith === undefined) {
      if (this.#partial !== undefined) {
        at += this.#fill(data, at)
        continue
      }
      if (this.#headerBytes === 0 && data.length - at >= 4) {
        this.#size = data.readInt32BE(at)
        at += 4
      } else {
        this.#header = (this.#header << 8) | data[at++]!
        if (++this.#headerBytes < 4) continue
        this.#size = this.#header
        this.#headerBytes = 0
        this.#header = 0
      }
      const { min, max } = receiver.frameBounds()
      if (this.#size < min || this.#size > max) return receiver.onImpossibleSize(this.#size)
      if (data.length - at >= this.#size) {
        const end = at + this.#size
        receiver.onFrame(data.subarray(at, end))
        at = end
      } else {
        this.#partial = Buffer.allocUnsafeSlow(Math.min(this.#size, AT_ONCE_BYTES))
        this.#filled = 0
      }
    }
  }

  /** @returns how many bytes were taken */
  #fill(data: Buffer, at: number): number {
    const taken = Math.min(this.#size - this.#filled, data.length - at)
    const filled = this.#filled + taken
    let partial = this.#partial!
    if (filled > partial.length) {
      partial = Buffer.allocUnsafeSlow(Math.min(this.#size, Math.max(filled, 2 * partial.length)))
      this.#partial!.copy(partial, 0, 0, this.#filled)
      this.#partial = partial
    }
    data.copy(partial, this.#filled, at, at + taken)
    this.#filled = filled
    if (filled === this.#size) {
      this.#partial = undefined
      this.#receiver.onFrame(partial)
    }
    return taken
  }
}
