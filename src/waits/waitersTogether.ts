import type { Waiters } from './wait.js'

/** Several that wait for the same. */
export class WaitersTogether implements Waiters {
  private readonly members = new Set<Waiters>()

  add(waiters: Waiters): void {
    this.members.add(waiters)
  }

  remove(waiters: Waiters): void {
    this.members.delete(waiters)
  }

  get isEmpty(): boolean {
    return this.members.size === 0
  }

  get waitingRecords(): number {
    let sum = 0
    for (const { waitingRecords } of this.members) sum += waitingRecords
    return sum
  }
}
