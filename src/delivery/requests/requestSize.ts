/** A request that carries less than this is not cut for its size by any broker that can be configured. bytes */
const SMALLEST_BYTES = 64 * 1024
/** How long requests stay below a size that was cut: the broker may be another one by then, or have another limit. ms */
const CAUTION_MS = 5 * 60_000

/**
 * How large requests to one broker may be. A broker cuts the connection of a request above its `socket.request.max.bytes` without a word
 * (Event Hubs: 1,046,528 bytes): that looks like any other end of a connection, so a request that is larger than all that were answered is
 * suspected, and the next ones are half as large.
 */
export class RequestSize {
  private readonly mostBytes: number
  private targetBytes: number
  /** The largest request that was answered since one was cut. */
  private answeredBytes = 0
  private cutAt = 0

  /** @param mostBytes the target where nothing was cut */
  constructor(mostBytes: number) {
    this.mostBytes = mostBytes
    this.targetBytes = mostBytes
  }

  /** No request grows beyond this by a further batch. bytes */
  target(now: number): number {
    if (this.targetBytes < this.mostBytes && now - this.cutAt >= CAUTION_MS) {
      this.targetBytes = this.mostBytes
      this.answeredBytes = 0
    }
    return this.targetBytes
  }

  answered(bytes: number): void {
    if (bytes > this.answeredBytes) this.answeredBytes = bytes
  }

  /**
   * The connection ended while the broker had this request to answer.
   *
   * @returns whether the request may have been too large, and goes in smaller ones from here on
   */
  cut(bytes: number, batches: number, now: number): boolean {
    const isSuspect = batches > 1 && bytes > SMALLEST_BYTES && bytes > this.answeredBytes
    // What was answered before says nothing of a broker that has started again since.
    this.answeredBytes = 0
    if (!isSuspect) return false
    this.targetBytes = Math.max(SMALLEST_BYTES, Math.min(this.targetBytes, Math.floor(bytes / 2)))
    this.cutAt = now
    return true
  }
}
