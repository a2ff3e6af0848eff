import type { WaitLine } from '../waiting/waitLine.js'

/**
 * Waiting queues, the one whose destination holds least first; of those that hold the same, the one that was served
 * longest ago. A binary heap in which each queue knows its place, so that each change costs O(log n).
 */
export class LineHeap {
  private readonly lines: WaitLine[] = []
  private turns = 0

  get first(): WaitLine | undefined {
    return this.lines[0]
  }

  get size(): number {
    return this.lines.length
  }

  add(line: WaitLine): void {
    line.servedAt = ++this.turns
    line.heapIndex = this.lines.length
    this.lines.push(line)
    this.rise(line)
  }

  remove(line: WaitLine): void {
    const at = line.heapIndex
    line.heapIndex = -1
    const last = this.lines.pop()!
    if (last === line) return
    this.lines[at] = last
    last.heapIndex = at
    this.update(last)
  }

  /** What its destination holds has changed. */
  update(line: WaitLine): void {
    this.rise(line)
    this.sink(line)
  }

  /** It has had its turn. */
  served(line: WaitLine): void {
    line.servedAt = ++this.turns
    this.sink(line)
  }

  private rise(line: WaitLine): void {
    const { lines } = this
    let at = line.heapIndex
    while (at > 0) {
      const above = (at - 1) >>> 1
      const other = lines[above]!
      if (!isBefore(line, other)) break
      lines[at] = other
      other.heapIndex = at
      at = above
    }
    lines[at] = line
    line.heapIndex = at
  }

  private sink(line: WaitLine): void {
    const { lines } = this
    let at = line.heapIndex
    for (;;) {
      let below = 2 * at + 1
      if (below >= lines.length) break
      if (below + 1 < lines.length && isBefore(lines[below + 1]!, lines[below]!)) below++
      const other = lines[below]!
      if (!isBefore(other, line)) break
      lines[at] = other
      other.heapIndex = at
      at = below
    }
    lines[at] = line
    line.heapIndex = at
  }
}

const isBefore = (a: WaitLine, b: WaitLine): boolean => {
  const difference = a.destination.heldBytes - b.destination.heldBytes
  return difference === 0 ? a.servedAt < b.servedAt : difference < 0
}
