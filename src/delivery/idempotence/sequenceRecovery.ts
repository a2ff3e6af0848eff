import type { Batch } from '../batch/batch.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'

/*
 * How a queue finds its way back to sequences that its leader expects: after a failure, an unknown outcome, or when its topic was
 * created again. Nothing of it is done while a batch is in flight, whose answer may decide.
 */

const NONE: readonly Batch[] = []

/** Whether the queue's next batch can have a sequence; what has to be done before is done here, if it can be done now. */
export const canNumber = (queue: PartitionQueue): boolean =>
  (!queue.isRecreated || leaveOldTopic(queue)) &&
  (!queue.unresolved || resolve(queue)) &&
  (!(queue.needsBump || queue.needsIdentity) || bump(queue))

const isTransactional = ({ batches }: PartitionQueue): boolean => batches[0]!.deliveryClass.transactional

const leaveOldTopic = (queue: PartitionQueue): boolean => {
  if (queue.inFlight > 0) return false
  queue.isRecreated = false
  queue.unresolved = false
  // The last acknowledgement may have been the old topic's.
  queue.leaderChanged()
  // A batch of unknown outcome keeps its sequence, and so do those around it: the new leader takes any for the first. So do
  // all of a transaction, which cannot have another epoch.
  const isKept = queue.batches.some(each => each.identity !== undefined && each.outcomeUnknown)
  queue.needsBump = !isKept && !isTransactional(queue)
  return true
}

/** After an expired batch of unknown outcome: goes on once the answers tell, or starts a new epoch. */
const resolve = (queue: PartitionQueue): boolean => {
  if (queue.inFlight > 0) return false
  const head = queue.batches[0]!
  if (head.identity !== undefined) {
    // Its acknowledgement was the proof: the broker expects just this batch.
    if (head.baseSequence === queue.sequences.expected) {
      queue.unresolved = false
      return true
    }
    // Its own fate is unknown too: only under its old sequence may it be asked for.
    if (head.outcomeUnknown) return true
  }
  if (!queue.sequences.isSettled) queue.needsBump = true
  queue.unresolved = false
  return true
}

/**
 * A broker that was killed remembers a producer's last batch alone, and refuses those before it although they are in the
 * log. But it takes a batch only behind the one before: when it has one that stands behind, it has them all. So a
 * refused batch of unknown outcome is set aside, and the next of unknown outcome is asked for.
 *
 * @returns false where nothing behind it can tell
 */
export const setAside = (queue: PartitionQueue, batch: Batch): boolean => {
  const { batches, sequences } = queue
  // Of an epoch of which nothing is acknowledged the leader may have no state: it would take any batch for the first.
  if (!batch.outcomeUnknown || sequences.expected === 0) return false
  const at = batches.indexOf(batch)
  const witness = batches[at + 1]
  if (witness === undefined || !witness.outcomeUnknown || witness.identity !== batch.identity) return false
  for (let i = 0; i < at; i++) if (!batches[i]!.isSetAside) return false
  batch.isSetAside = true
  return true
}

/** They stand before all others: the answer to any batch behind them tells what became of them. */
export const allSetAside = ({ batches }: PartitionQueue): readonly Batch[] =>
  batches[0]!.isSetAside ? batches.filter(each => each.isSetAside) : NONE

/** Starts a new epoch for what is left. */
const bump = (queue: PartitionQueue): boolean => {
  if (queue.inFlight > 0) return false
  const { identity } = queue.sequences
  if (identity !== undefined && isTransactional(queue)) {
    // The epoch is the coordinator's to bump: this producer would be fenced from its own transaction.
    queue.host.renewIdentity(identity)
    return false
  }
  for (const batch of [...queue.batches]) {
    if (batch.identity === undefined) continue
    if (batch.outcomeUnknown) queue.host.rejectSequenceLost(queue, batch)
    else batch.forgetIdentity()
  }
  const goesOn = queue.needsIdentity ? queue.sequences.forget() : queue.sequences.bump()
  if (identity !== undefined) {
    if (!goesOn) queue.host.renewIdentity(identity)
    else if (!queue.needsIdentity) queue.host.observer.epochBumped()
  }
  queue.needsBump = false
  queue.needsIdentity = false
  queue.leaderHasAcked = false
  return queue.batches.length > 0
}
