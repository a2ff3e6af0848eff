const LF = 0x0a
const CR = 0x0d
const BOM = Buffer.from([0xef, 0xbb, 0xbf])

export interface Line {
  /** Counted from 1, empty lines included. */
  readonly number: number
  /** The line without its ending, or undefined when it was longer than the bound. */
  readonly bytes: Buffer | undefined
}

/**
 * Splits chunks of bytes into lines ended by LF or CRLF; empty lines are counted and left out, a byte order mark at the
 * start is dropped. It splits bytes, not text, so a character cut by a chunk's end is whole again in its line. At most
 * `maxLineBytes` of an unfinished line are held: the rest of a longer one is skipped, and the line comes without bytes.
 */
export class LineSplitter {
  private number = 1
  private pieces: Buffer[] = []
  private held = 0
  private tooLong = false

  constructor(private readonly maxLineBytes: number) {}

  *push(chunk: Buffer): Generator<Line> {
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.hold(chunk.subarray(start, end))
      const line = this.take()
      if (line) yield line
      start = end + 1
    }
    this.hold(chunk.subarray(start))
  }

  /** The last line, when the input did not end it. */
  *end(): Generator<Line> {
    const line = this.take()
    if (line) yield line
  }

  private hold(piece: Buffer): void {
    if (piece.length === 0 || this.tooLong) return
    // One byte more than the bound: it may be the CR of a CRLF.
    if (this.held + piece.length > this.maxLineBytes + 1) {
      this.tooLong = true
      this.pieces = []
      return
    }
    this.pieces.push(piece)
    this.held += piece.length
  }

  private take(): Line | undefined {
    const { tooLong, pieces } = this
    const number = this.number++
    this.pieces = []
    this.held = 0
    this.tooLong = false
    if (tooLong) return { number, bytes: undefined }
    let bytes = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
    if (bytes.at(-1) === CR) bytes = bytes.subarray(0, -1)
    if (number === 1 && bytes.subarray(0, BOM.length).equals(BOM)) bytes = bytes.subarray(BOM.length)
    if (bytes.length === 0) return undefined
    return { number, bytes: bytes.length > this.maxLineBytes ? undefined : bytes }
  }
}
