import { LineHeap, type SpaceLine } from './lineHeap.js'

/** Destinations that hold buffer space together: what one broker leads, or all that cannot move. */
export class ShareGroup {
  /** bytes */
  heldBytes = 0
  /** Its records cannot move at present. Written by BufferBudget alone. */
  isStuck: boolean
  /** Its destinations' waiting queues: the one whose destination holds least is first. */
  readonly lines = new LineHeap()

  constructor(isStuck: boolean) {
    this.isStuck = isStuck
  }
}

/** What buffer space is charged to: a topic while it is missing, then each of its partitions. */
export class Destination {
  /** What its records take of the buffer. bytes */
  heldBytes = 0
  /** Written by BufferBudget alone. */
  group: ShareGroup
  /** The records that wait for space of this destination; made when the first one does. */
  line: SpaceLine | undefined

  constructor(group: ShareGroup) {
    this.group = group
  }

  /** Records wait for space: a later one does not overtake them. */
  get hasWaiting(): boolean {
    return this.line !== undefined && this.line.size > 0
  }
}
