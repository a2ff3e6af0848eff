import type { SpaceLine } from './lineHeap.js'
import { type Destination, ShareGroup } from './shares.js'

/** What stuck records may hold together, as a share of `bufferBytes`. */
const STUCK_SHARE = 0.5
/** What a record that waits takes beyond its message: itself, its copy of the message, its promise. bytes */
const WAITING_OVERHEAD_BYTES = 250
/** So many records are let in per turn of the event loop. */
const GRANTS_PER_TURN = 4000

/**
 * What `bufferBytes` counts: the records of every state, from admission until each has ended, and to whom they are charged. Each
 * destination has a share, so that none can keep the others out (docs/decisions/intake.md).
 */
export class BufferBudget {
  readonly limitBytes: number
  /** What stuck records may hold together. bytes */
  readonly stuckLimitBytes: number
  /** What may wait outside of the buffer. bytes */
  readonly maxWaitingBytes: number
  usedBytes = 0
  records = 0
  stuckBytes = 0
  waitingBytes = 0
  /** Counts up whenever space comes free. */
  releases = 0
  /** What has no broker to go to, or was refused by it. */
  readonly immobile = new ShareGroup(true)
  private readonly waitingGroups = new Set<ShareGroup>()
  /** Lines whose first record has no room beside what is stuck, however much of the rest leaves: in no group until it has. Few, for they are large. */
  private readonly oversized = new Set<SpaceLine>()
  private readonly listeners: (() => void)[] = []
  private isPumping = false
  private isScheduled = false
  private isTelling = false

  constructor(limitBytes: number, maxWaitingBytes = limitBytes * 16) {
    this.limitBytes = limitBytes
    this.stuckLimitBytes = Math.floor(limitBytes * STUCK_SHARE)
    this.maxWaitingBytes = maxWaitingBytes
  }

  /** Whether the destination's share and the buffer have room for a record of this size. */
  mayHold(destination: Destination, bytes: number): boolean {
    const freeBytes = this.limitBytes - this.usedBytes
    const { group, heldBytes } = destination
    // Nearly always; the group's bytes are its destinations'.
    if (!group.isStuck && group.heldBytes + bytes <= freeBytes) return true
    if (bytes > freeBytes) return false
    if (group.isStuck) return this.mayHoldStuck(destination, bytes)
    // A first record is let in wherever there is room: the shares are there to bound a crowd.
    return (
      (heldBytes === 0 || heldBytes + bytes <= freeBytes) &&
      (group.heldBytes === 0 || group.heldBytes + bytes <= freeBytes)
    )
  }

  private mayHoldStuck({ group, heldBytes }: Destination, bytes: number): boolean {
    const leftBytes = this.stuckLimitBytes - this.stuckBytes
    if (heldBytes > 0) return heldBytes + bytes <= leftBytes
    if (group.heldBytes === 0 || bytes <= leftBytes) return true
    // A broker may have filled more than the half before its silence was noticed: that keeps out no first record of others.
    return group === this.immobile && group.heldBytes + bytes <= this.stuckLimitBytes / 2
  }

  /**
   * Whether the destination's share is used up to the mark, or has no room for another record of this size.
   *
   * @param mark of the destination's share: 1 is all of it
   */
  isFilledBy(destination: Destination, mark: number, bytes: number): boolean {
    const freeBytes = this.limitBytes - this.usedBytes
    const { isStuck, heldBytes } = destination.group
    if (!isStuck && heldBytes < mark * freeBytes && heldBytes + bytes <= freeBytes) return false
    return this.isFilled(destination, mark) || !this.mayHold(destination, bytes)
  }

  /** @param mark of the destination's share: 1 is all of it */
  isFilled({ group, heldBytes }: Destination, mark: number): boolean {
    if (heldBytes === 0) return false
    const freeBytes = this.limitBytes - this.usedBytes
    if (group.isStuck) {
      return heldBytes >= mark * Math.max(1, Math.min(freeBytes, this.stuckLimitBytes - this.stuckBytes))
    }
    return Math.max(heldBytes, group.heldBytes) >= mark * Math.max(1, freeBytes)
  }

  take(destination: Destination, bytes: number): void {
    const { group } = destination
    this.usedBytes += bytes
    this.records++
    destination.heldBytes += bytes
    group.heldBytes += bytes
    if (group.isStuck) this.stuckBytes += bytes
    if (destination.line !== undefined) this.noteHeld(destination)
  }

  give(destination: Destination, bytes: number, records: number): void {
    const { group } = destination
    this.usedBytes -= bytes
    this.records -= records
    this.releases++
    destination.heldBytes -= bytes
    group.heldBytes -= bytes
    if (group.isStuck) this.stuckBytes -= bytes
    if (destination.line !== undefined) this.noteHeld(destination)
  }

  private noteHeld({ line, group }: Destination): void {
    if (line !== undefined && line.heapIndex >= 0) group.lines.update(line)
  }

  /** Keeps space for a record whose destination is being chosen, by code that may send something itself. */
  reserve(bytes: number): void {
    this.usedBytes += bytes
  }

  unreserve(bytes: number): void {
    this.usedBytes -= bytes
  }

  /** The destination belongs to another broker, or to none. What it holds goes along. */
  move(destination: Destination, group: ShareGroup): void {
    const { group: former, line, heldBytes } = destination
    if (former === group) return
    const isListed = line !== undefined && (line.heapIndex >= 0 || this.oversized.has(line))
    if (isListed) this.delist(line)
    former.heldBytes -= heldBytes
    group.heldBytes += heldBytes
    if (former.isStuck) this.stuckBytes -= heldBytes
    if (group.isStuck) this.stuckBytes += heldBytes
    destination.group = group
    if (isListed) this.enlist(line)
    this.releases++
    this.schedule()
  }

  /** The records of a broker can move again, or cannot. */
  setStuck(group: ShareGroup, isStuck: boolean): void {
    if (group.isStuck === isStuck) return
    group.isStuck = isStuck
    this.stuckBytes += isStuck ? group.heldBytes : -group.heldBytes
    this.releases++
    this.schedule()
  }

  /** Whether one more record may wait. */
  mayWait(bytes: number): boolean {
    return this.waitingBytes + bytes + WAITING_OVERHEAD_BYTES <= this.maxWaitingBytes
  }

  waits(bytes: number): void {
    this.waitingBytes += bytes + WAITING_OVERHEAD_BYTES
  }

  waitsNoMore(bytes: number): void {
    this.waitingBytes -= bytes + WAITING_OVERHEAD_BYTES
  }

  /** The line gets space when there is some. */
  enlist(line: SpaceLine): void {
    const { group } = line.destination
    group.lines.add(line)
    this.waitingGroups.add(group)
  }

  delist(line: SpaceLine): void {
    if (this.oversized.delete(line) || line.heapIndex < 0) return
    const { group } = line.destination
    group.lines.remove(line)
    if (group.lines.size === 0) this.waitingGroups.delete(group)
  }

  /** @returns what ends it */
  onFreed(listener: () => void): () => void {
    this.listeners.push(listener)
    return () => {
      this.listeners.splice(this.listeners.indexOf(listener), 1)
    }
  }

  /** Space came free: those that wait take it. The one path for that. */
  freed(): void {
    if (this.isWaitedFor) this.pump()
    this.tellFreed()
  }

  /** At most once per turn of the event loop: each listener may have many who wait. */
  private tellFreed(): void {
    if (this.isTelling || this.listeners.length === 0) return
    this.isTelling = true
    setImmediate(() => {
      this.isTelling = false
      for (const listener of [...this.listeners]) listener()
    })
  }

  private get isWaitedFor(): boolean {
    return this.waitingGroups.size > 0 || this.oversized.size > 0
  }

  private schedule(): void {
    // Who waits for space, or for a hold to end.
    if (this.isScheduled || (!this.isWaitedFor && this.listeners.length === 0)) return
    this.isScheduled = true
    setImmediate(() => {
      this.isScheduled = false
      this.freed()
    })
  }

  /** The groups take turns; of each group the destination that holds least is served. */
  private pump(): void {
    // Ending a batch inside the loop would start another round within this one.
    if (this.isPumping) return
    this.isPumping = true
    let left = GRANTS_PER_TURN
    for (const line of this.oversized) {
      if (this.isOversized(line)) continue
      this.oversized.delete(line)
      this.enlist(line)
    }
    try {
      let groups = [...this.waitingGroups]
      while (groups.length > 0 && left > 0) {
        groups = groups.filter(group => {
          const line = group.lines.first
          if (line === undefined) return false
          if (!this.mayHold(line.destination, line.first!.bytes)) return this.passesBy(line)
          left--
          line.admitFirst()
          if (line.heapIndex >= 0) group.lines.served(line)
          return true
        })
      }
    } finally {
      this.isPumping = false
      if (left <= 0) this.schedule()
    }
  }

  /**
   * Where the first does not fit, nobody of its group passes it: a large record would wait for ever. Unless it waits for what is
   * stuck: the others would wait for that with it.
   *
   * @returns whether the next of the group has its turn
   */
  private passesBy(line: SpaceLine): boolean {
    if (!this.isOversized(line)) return false
    this.delist(line)
    this.oversized.add(line)
    return true
  }

  private isOversized({ first, destination: { group } }: SpaceLine): boolean {
    return !group.isStuck && first !== undefined && first.bytes > this.limitBytes - this.stuckBytes
  }
}
