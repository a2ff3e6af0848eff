import { isControl, isTransactional, type RecordBatchHeader } from '../../protocol/records/decode.js'
import { ProducerStates } from './producers.js'

/** A batch as it was appended. The bytes keep the client's base offset: readers put the log's in its place. */
export interface LogEntry {
  readonly baseOffset: number
  readonly lastOffset: number
  readonly leaderEpoch: number
  readonly header: RecordBatchHeader
  readonly bytes: Buffer
}

/** A transaction that was aborted, as readers of committed records are told. */
export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: number
  /** The offset of its marker. */
  readonly lastOffset: number
}

/** The log of one partition, in memory. */
export class PartitionLog {
  readonly producers = new ProducerStates()
  private entries: LogEntry[] = []
  private end = 0
  private start = 0
  /** The first offset of each transaction that has no marker yet, by producer id. */
  private readonly open = new Map<number, number>()
  private readonly aborted: AbortedTransaction[] = []

  /** The offset the next record will get. */
  get endOffset(): number {
    return this.end
  }

  get startOffset(): number {
    return this.start
  }

  /** Up to here every transaction has ended. */
  get lastStableOffset(): number {
    return Math.min(this.end, ...this.open.values())
  }

  /** The aborted transactions with records in a range of offsets. */
  abortedIn(from: number, to: number): AbortedTransaction[] {
    return this.aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to)
  }

  append(header: RecordBatchHeader, bytes: Buffer, leaderEpoch: number): LogEntry {
    const baseOffset = this.end
    const producerId = Number(header.producerId)
    if (isTransactional(header) && !isControl(header) && !this.open.has(producerId)) {
      this.open.set(producerId, baseOffset)
    }
    const entry = {
      baseOffset,
      lastOffset: baseOffset + header.lastOffsetDelta,
      leaderEpoch,
      header,
      bytes,
    }
    this.entries.push(entry)
    this.end = entry.lastOffset + 1
    return entry
  }

  /** Ends a producer's transaction with the marker at this offset. */
  endTransaction(producerId: number, committed: boolean, markerOffset: number): void {
    const firstOffset = this.open.get(producerId)
    this.open.delete(producerId)
    if (!committed && firstOffset !== undefined) {
      this.aborted.push({ producerId, firstOffset, lastOffset: markerOffset })
    }
  }

  /** The entries from the one that holds `offset` on. */
  from(offset: number): readonly LogEntry[] {
    return this.entries.slice(this.indexOf(offset))
  }

  /** The entry that holds `offset`, or the first one behind it. */
  at(offset: number): LogEntry | undefined {
    return this.entries[this.indexOf(offset)]
  }

  entryAt(index: number): LogEntry | undefined {
    return this.entries[index]
  }

  /** The index of the entry that holds `offset`, or of the first one behind it. */
  indexOf(offset: number): number {
    let low = 0
    let high = this.entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.entries[middle]!.lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first offset written under each leader epoch, oldest first. */
  epochStarts(): { epoch: number; startOffset: number }[] {
    const starts: { epoch: number; startOffset: number }[] = []
    for (const entry of this.entries) {
      if (starts.at(-1)?.epoch !== entry.leaderEpoch) {
        starts.push({ epoch: entry.leaderEpoch, startOffset: entry.baseOffset })
      }
    }
    return starts
  }

  /** Removes what stands before `offset`, as DeleteRecords and retention do: whole batches only. */
  deleteBefore(offset: number): void {
    this.start = Math.max(this.start, Math.min(offset, this.end))
    this.entries.splice(0, this.indexOf(this.start))
  }

  /** Removes the batches from the one that holds `offset` on, as an unclean leader election does. */
  truncate(offset: number): void {
    const index = this.indexOf(offset)
    const first = this.entries[index]
    if (!first) return
    this.entries.length = index
    this.end = first.baseOffset
    this.producers.truncate(this.end)
  }
}

/** The batches' bytes as a reader gets them: with the offsets and the leader epoch of the log. */
export const servedBytes = (entries: readonly LogEntry[]): Buffer => {
  const served = Buffer.concat(entries.map(entry => entry.bytes))
  let at = 0
  for (const entry of entries) {
    served.writeBigInt64BE(BigInt(entry.baseOffset), at)
    served.writeInt32BE(entry.leaderEpoch, at + 12)
    at += entry.bytes.length
  }
  return served
}
