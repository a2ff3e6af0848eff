import { copyRecords } from '../../protocol/records/rewrite.js'
import { Batch } from './batch.js'

/**
 * Takes the records that `keep` names into a batch of their own, with their owners. The given batch stays as it is: its
 * buffer may still be on its way to a socket.
 */
export const extractRecords = (batch: Batch, keep: (index: number) => boolean): Batch => {
  const body = copyRecords(batch.body.subarray(0, batch.bodyBytes), batch.recordCount, keep)
  const [flushBarrier, ...joined] = batch.flushBarriers
  const part = new Batch(
    batch.deliveryClass,
    body,
    batch.createdAt,
    batch.endsAt,
    flushBarrier!,
    batch.onExpire,
  )
  for (const each of joined) part.join(each)
  part.state = 'waiting'
  part.queue = batch.queue
  part.bodyBytes = body.length
  part.baseTimestamp = batch.baseTimestamp
  part.maxTimestamp = batch.maxTimestamp
  part.attempts = batch.attempts
  part.attemptLog = batch.attemptLog?.copy()
  part.excusedAttempts = batch.excusedAttempts
  part.outcomeUnknown = batch.outcomeUnknown
  part.firstCause = batch.firstCause
  part.lastCause = batch.lastCause
  const { owners, records } = batch.owners.kept(keep)
  part.owners = owners
  part.recordCount = records
  return part
}

/** The parts take over what the buffer counts for their records; what rounding leaves stays with the batch. */
export const divideCharge = (batch: Batch, parts: readonly Batch[]): void => {
  const { chargedBytes, recordCount } = batch
  for (const part of parts) {
    part.chargedBytes = Math.floor((chargedBytes * part.recordCount) / recordCount)
    part.chargedRecords = part.recordCount
    batch.chargedBytes -= part.chargedBytes
    batch.chargedRecords -= part.recordCount
  }
}
