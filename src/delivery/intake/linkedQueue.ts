/** Where something stands in a {@link LinkedQueue}. */
export class QueueNode<T> {
  readonly item: T | undefined
  before: QueueNode<T> = this
  behind: QueueNode<T> = this
  left = false

  constructor(item: T | undefined) {
    this.item = item
  }
}

/**
 * Things in the order in which they came, which may leave from anywhere: calls that wait are many, most leave in front,
 * and some by a time-out or a signal. (A Set would search its emptied front on each look at its first member.)
 */
export class LinkedQueue<T> {
  /** Stands before the first and behind the last. */
  private readonly ends = new QueueNode<T>(undefined)
  private count = 0

  get size(): number {
    return this.count
  }

  add(item: T): QueueNode<T> {
    const { ends } = this
    const place = new QueueNode<T>(item)
    place.before = ends.before
    place.behind = ends
    ends.before.behind = place
    ends.before = place
    this.count++
    return place
  }

  leave(place: QueueNode<T>): void {
    if (place.left) return
    place.left = true
    place.before.behind = place.behind
    place.behind.before = place.before
    this.count--
  }

  /** Who has left when its turn comes is passed over; who comes meanwhile is met. */
  *[Symbol.iterator](): Generator<T, void> {
    let place = this.ends.behind
    while (place !== this.ends) {
      yield place.item as T
      // Who left knows only who stood before: go on behind the first of those that is still there.
      while (place.left) place = place.before
      place = place.behind
    }
  }
}
