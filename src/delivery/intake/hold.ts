import type { BufferBudget } from '../buffer/bufferBudget.js'
import type { Destination } from '../buffer/shares.js'
import { TopicWait } from '../waiting/topicWait.js'

/** A destination that is this full holds those back who enqueue for it. Of its share: 1 is all of it. */
const HIGH_MARK = 0.8
/** Until it is less full than this. */
const LOW_MARK = 0.5

/** Why a caller should not hand over more, which concerns one destination alone. */
export class Hold {
  /** Whether the record was taken all the same. */
  readonly outcome: 'taken' | 'refused'
  private readonly budget: BufferBudget
  private readonly destination: Destination

  constructor(budget: BufferBudget, destination: Destination, outcome: 'taken' | 'refused') {
    this.budget = budget
    this.destination = destination
    this.outcome = outcome
  }

  /** Before a record is refused, the one before it is answered with a hold: as long as they are of one size. */
  static isDue(budget: BufferBudget, destination: Destination, nextBytes: number): boolean {
    return budget.isFilledBy(destination, HIGH_MARK, nextBytes)
  }

  get isOver(): boolean {
    const { destination } = this
    if (!this.hasRoom(destination)) return false
    // When a topic comes, its records go on to its partitions, and fill these.
    if (!(destination instanceof TopicWait)) return true
    const { queues } = destination.topic
    return queues.length === 0 || queues.some(queue => this.hasRoom(queue))
  }

  private hasRoom(destination: Destination): boolean {
    return !destination.hasWaiting && !this.budget.isFilled(destination, LOW_MARK)
  }

  /** Its records cannot move. */
  get isStuck(): boolean {
    return this.destination.group.isStuck
  }
}
