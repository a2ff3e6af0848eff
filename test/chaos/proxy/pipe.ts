import type { Socket } from 'node:net'

const SLICE_MS = 20

/** One direction of a proxied connection: bytes from one socket to the other, unless it is told otherwise. */
export class Pipe {
  private readonly from: Socket
  private readonly to: Socket
  private readonly held: Buffer[] = []
  private isStalled = false
  private isMute = false
  private bytesPerSecond = Infinity
  private timer: NodeJS.Timeout | undefined
  private cutAfterHalf: (() => void) | undefined
  private hasEnded = false
  private lateMs = 0
  /** Bytes that are held back, each chunk by a timer of its own. */
  private readonly late = new Set<NodeJS.Timeout>()
  private lastDueAt = 0

  constructor(from: Socket, to: Socket) {
    this.from = from
    this.to = to
    from.on('data', chunk => this.delayed(() => this.take(chunk)))
    from.on('end', () =>
      this.delayed(() => {
        this.hasEnded = true
        this.flow()
      }),
    )
    to.on('drain', () => this.flow())
  }

  /** Passes nothing on until it is resumed, and takes no more than it has. */
  stall(): void {
    this.isStalled = true
    this.from.pause()
  }

  resume(): void {
    this.isStalled = false
    this.flow()
  }

  /** From here on all bytes, and the end of them, vanish. */
  mute(): void {
    this.isMute = true
    this.held.length = 0
    this.from.resume()
  }

  /** From here on everything arrives this much later, in order. ms */
  delay(ms: number): void {
    this.lateMs = ms
  }

  /** Infinity: as fast as can be. */
  slow(bytesPerSecond: number): void {
    this.bytesPerSecond = bytesPerSecond
    this.flow()
  }

  /** Passes on the first half of the next bytes, then calls `then`, which cuts the connection. */
  cutInTheMiddle(then: () => void): void {
    this.cutAfterHalf = then
  }

  close(): void {
    clearTimeout(this.timer)
    for (const timer of this.late) clearTimeout(timer)
  }

  private delayed(act: () => void): void {
    if (this.lateMs === 0 && this.late.size === 0) return act()
    const now = performance.now()
    // After a delay has ended, what comes must not overtake what is still held; timers of one moment fire in order.
    this.lastDueAt = Math.max(now + this.lateMs, this.lastDueAt)
    const timer = setTimeout(() => {
      this.late.delete(timer)
      act()
    }, this.lastDueAt - now)
    this.late.add(timer)
  }

  private take(chunk: Buffer): void {
    if (this.isMute) return
    if (this.cutAfterHalf !== undefined) {
      const then = this.cutAfterHalf
      this.cutAfterHalf = undefined
      const half = Buffer.concat([...this.held, chunk.subarray(0, chunk.length >>> 1)])
      this.mute()
      // Not before the half is on its way: destroying the socket at once would take it back.
      if (half.length > 0 && !this.to.destroyed) this.to.write(half, then)
      else then()
      return
    }
    this.held.push(chunk)
    this.flow()
  }

  private flow(): void {
    if (this.isStalled || this.isMute || this.timer !== undefined || this.to.destroyed) return
    let allowance =
      this.bytesPerSecond === Infinity ? Infinity : Math.ceil((this.bytesPerSecond * SLICE_MS) / 1000)
    while (this.held.length > 0 && allowance > 0 && !this.to.writableNeedDrain) {
      const first = this.held[0]!
      const part = first.subarray(0, Math.min(first.length, allowance))
      allowance -= part.length
      if (part.length === first.length) this.held.shift()
      else this.held[0] = first.subarray(part.length)
      this.to.write(part)
    }
    if (this.held.length > 0) {
      // The sender feels it, as it would feel a slow network.
      this.from.pause()
      if (allowance <= 0) {
        this.timer = setTimeout(() => {
          this.timer = undefined
          this.flow()
        }, SLICE_MS)
      }
      return
    }
    this.from.resume()
    if (this.hasEnded && this.to.writable) this.to.end()
  }
}
