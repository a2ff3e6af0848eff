import type { Waiters } from './wait.js'

/** Several that wait for the same. */
export class WaitersTogether implements Waiters {
  private readonly members = new Set<Waiters>()

  add(waiters: Waiters): void {
    this.members.add(waiters)
  }

  get waitingRecords(): number {
    let sum = 0
    for (const { waitingRecords } of this.members) sum += waitingRecords
    return sum
  }
}
