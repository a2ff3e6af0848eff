import type { Batch } from '../batch/batch.js'
import type { Destination } from '../buffer/shares.js'
import type { RecordCompletion } from '../owners/recordCompletion.js'
import { CallLinks } from '../waiting/callLinks.js'
import type { CallWatch } from './callWatch.js'
import { type DeliveryTeller, EnqueuedRecord, type OnDelivery } from './enqueuedRecord.js'

/** A record of a Writable, whose source is held back until the buffer has taken it in. */
export class StreamedRecord extends EnqueuedRecord {
  private readonly ownLinks = new CallLinks()
  private readonly onTaken: (destination: Destination) => void
  private queue: Destination | undefined

  private readonly watchedBy: CallWatch | undefined

  /** @param onTaken called when the buffer has it, at most once; not if it fails before */
  constructor(
    topic: string,
    onDelivery: OnDelivery,
    teller: DeliveryTeller,
    watchedBy: CallWatch | undefined,
    onTaken: (destination: Destination) => void,
  ) {
    super(topic, onDelivery, teller)
    this.watchedBy = watchedBy
    this.onTaken = onTaken
  }

  override get links(): CallLinks {
    return this.ownLinks
  }

  protected override get watch(): CallWatch | undefined {
    return this.watchedBy
  }

  override ownerIn(batch?: Batch): RecordCompletion {
    this.queue = batch?.queue
    return super.ownerIn(batch)
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
