/**
 * The records of a batch that are withdrawn, by the position at which each was appended: that stays while others before it
 * are taken out. To mark one costs O(1); to take the marked ones out is done for many at once.
 */
export class WithdrawnRecords {
  /** The positions, by index in the batch; undefined while they are the same. */
  private positions: number[] | undefined
  private takenOut = 0
  private readonly marked = new Set<number>()

  /** How many are marked and not taken out. */
  get count(): number {
    return this.marked.size
  }

  appended(recordCount: number): number {
    return this.takenOut + recordCount
  }

  noteAppended(index: number): void {
    this.positions?.push(this.takenOut + index)
  }

  add(positions: readonly number[]): void {
    for (const position of positions) this.marked.add(position)
  }

  /** @returns whether the record that stood at this index until now is kept */
  takeOut(recordCount: number): (index: number) => boolean {
    const marked = new Set(this.marked)
    const before = this.positions ?? Array.from({ length: recordCount }, (_, index) => index)
    const isKept = (index: number): boolean => !marked.has(before[index]!)
    this.positions = before.filter((_, index) => isKept(index))
    this.takenOut += marked.size
    this.marked.clear()
    return isKept
  }
}
