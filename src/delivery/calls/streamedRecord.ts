import type { Batch } from '../batch/batch.js'
import type { Destination } from '../buffer/shares.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import { CallLinks } from './callLinks.js'
import { type DeliveryTeller, EnqueuedRecord, type OnDelivery } from './enqueuedRecord.js'

/** A record of a Writable, whose source is held back until the buffer has taken it in. */
export class StreamedRecord extends EnqueuedRecord {
  private readonly ownLinks = new CallLinks()
  private readonly onTaken: (destination: Destination) => void
  private queue: Destination | undefined

  /** @param onTaken called when the buffer has it, at most once; not if it fails before */
  constructor(
    topic: string,
    onDelivery: OnDelivery,
    teller: DeliveryTeller,
    onTaken: (destination: Destination) => void,
  ) {
    super(topic, onDelivery, teller)
    this.onTaken = onTaken
  }

  override get links(): CallLinks {
    return this.ownLinks
  }

  override ownerIn(batch?: Batch): RecordCompletion {
    this.queue = batch?.queue
    return this
  }

  private isTaken = false

  admitted(destination: Destination): void {
    this.isTaken = true
    this.onTaken(destination)
  }

  override placed(): void {
    if (!this.isTaken && this.queue !== undefined) this.onTaken(this.queue)
  }
}
