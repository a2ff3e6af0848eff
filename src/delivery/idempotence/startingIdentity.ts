import type { ProducerIdentity } from '../batch/producerIdentity.js'
import type { IdentitySource } from './producerIds.js'
import { MAX_EPOCH } from './sequences.js'

/**
 * The identity under which a partition queue begins to number. A queue that was given back has left sequences with the broker, and one
 * that is made anew begins at 0: the broker would take its batches for ones that it has. So it begins in an epoch above that of any
 * queue that was given back (KIP-360 lets an idempotent producer bump its epoch by itself): one number is all that is kept of them.
 */
export class StartingIdentity {
  private readonly source: IdentitySource
  /** The highest epoch of the queues that were given back; -1: none. Of the producer id `ofId`: another id knows nothing of them. */
  private highestRetired = -1
  private ofId: bigint | undefined
  private identity: ProducerIdentity | undefined

  constructor(source: IdentitySource) {
    this.source = source
  }

  /** Undefined while there is none. Asks for another producer id where the epochs of the current one are used up. */
  obtain(): ProducerIdentity | undefined {
    const { current } = this.source
    if (current === undefined || this.ofId !== current.producerId || this.highestRetired < current.epoch)
      return current
    const { producerId } = current
    const epoch = this.highestRetired + 1
    if (epoch > MAX_EPOCH) {
      this.source.renew(current)
      return undefined
    }
    if (this.identity?.producerId !== producerId || this.identity.epoch !== epoch)
      this.identity = { producerId, epoch }
    return this.identity
  }

  /** A queue that numbered under this identity was given back. */
  retired({ producerId, epoch }: ProducerIdentity): void {
    // Queues of former producer ids may still be given back: nothing begins under those any more.
    if (this.source.current?.producerId !== producerId) return
    if (this.ofId !== producerId) this.highestRetired = -1
    this.ofId = producerId
    this.highestRetired = Math.max(this.highestRetired, epoch)
  }
}
