import type { Destination } from '../buffer/shares.js'

/** There is no room for a record at its destination. */
export class Refused {
  readonly destination: Destination

  constructor(destination: Destination) {
    this.destination = destination
  }
}
