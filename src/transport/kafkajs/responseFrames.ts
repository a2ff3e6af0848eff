/** librdkafka's default for `receive.message.max.bytes` is 100,000,000. bytes */
export const MAX_RESPONSE_BYTES = 100 * 1024 * 1024

/**
 * Follows the frames in the bytes of one connection, so that an impossible size is seen before kafkajs's parser gathers
 * whatever it announces, or reads past it. It keeps no bytes.
 */
export class ResponseFrames {
  #bodyLeft = 0
  #header = 0
  #headerBytes = 0

  /** The size that was refused: nothing behind it can be understood. */
  impossibleSize: number | undefined

  /** How many bytes of `data` come before a size outside `minBytes`..MAX_RESPONSE_BYTES: all of them when there is none. */
  accept(data: Buffer, minBytes: number): number {
    let at = 0
    while (at < data.length) {
      if (this.#bodyLeft > 0) {
        const skipped = Math.min(this.#bodyLeft, data.length - at)
        this.#bodyLeft -= skipped
        at += skipped
        continue
      }
      this.#header = (this.#header << 8) | (data[at++] ?? 0)
      if (++this.#headerBytes < 4) continue
      const size = this.#header
      this.#header = 0
      this.#headerBytes = 0
      if (size < minBytes || size > MAX_RESPONSE_BYTES) {
        this.impossibleSize = size
        return Math.max(0, at - 4)
      }
      this.#bodyLeft = size
    }
    return at
  }
}
