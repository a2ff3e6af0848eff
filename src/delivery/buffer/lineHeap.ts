import type { Destination } from './shares.js'

/** What waits for buffer space at one destination. */
export interface SpaceLine {
  readonly destination: Destination
  readonly size: number
  readonly first: { readonly bytes: number } | undefined
  /** Written by LineHeap alone; -1: it is in none. */
  heapIndex: number
  /** Written by LineHeap alone. */
  servedAt: number
  /** There is space for the first record. */
  admitFirst(): void
}

/**
 * Waiting queues, the one whose destination holds least first; of those that hold the same, the one that was served
 * longest ago. A binary heap in which each queue knows its place, so that each change costs O(log n).
 */
export class LineHeap {
  private readonly lines: SpaceLine[] = []
  private turns = 0

  get first(): SpaceLine | undefined {
    return this.lines[0]
  }

  get size(): number {
    return this.lines.length
  }

  add(line: SpaceLine): void {
    line.servedAt = ++this.turns
    line.heapIndex = this.lines.length
    this.lines.push(line)
    this.rise(line)
  }

  remove(line: SpaceLine): void {
    const at = line.heapIndex
    line.heapIndex = -1
    const last = this.lines.pop()!
    if (last === line) return
    this.lines[at] = last
    last.heapIndex = at
    this.update(last)
  }

  /** What its destination holds has changed. */
  update(line: SpaceLine): void {
    this.rise(line)
    this.sink(line)
  }

  /** It has had its turn. */
  served(line: SpaceLine): void {
    line.servedAt = ++this.turns
    this.sink(line)
  }

  private rise(line: SpaceLine): void {
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

  private sink(line: SpaceLine): void {
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

const isBefore = (a: SpaceLine, b: SpaceLine): boolean => {
  const difference = a.destination.heldBytes - b.destination.heldBytes
  return difference === 0 ? a.servedAt < b.servedAt : difference < 0
}
