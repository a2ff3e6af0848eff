import type { Lane } from './lane.js'

/*
 * How a lane finds its way back to sequences that its leader expects: after a failure, an unknown fate, or when its topic was
 * created again. Nothing of it is done while a batch is in flight, whose answer may decide.
 */

/** Whether the lane's next batch can have a sequence; what has to be done before is done here, if it can be done now. */
export const canNumber = (lane: Lane): boolean =>
  (!lane.isRecreated || leaveOldTopic(lane)) &&
  (!lane.unresolved || resolve(lane)) &&
  (!lane.needsBump || bump(lane))

const isTransactional = ({ batches }: Lane): boolean => batches[0]!.deliveryClass.transactional

const leaveOldTopic = (lane: Lane): boolean => {
  if (lane.inFlight > 0) return false
  lane.isRecreated = false
  lane.unresolved = false
  // The last acknowledgement may have been the old topic's.
  lane.confirmed = false
  // A batch of unknown fate keeps its sequence, and so do those around it: the new leader takes any for the first. So do
  // all of a transaction, which cannot have another epoch.
  const isKept = lane.batches.some(each => each.identity !== undefined && each.fateUnknown)
  lane.needsBump = !isKept && !isTransactional(lane)
  return true
}

/** After an expired batch of unknown fate: goes on once the answers tell, or starts a new epoch. */
const resolve = (lane: Lane): boolean => {
  if (lane.inFlight > 0) return false
  const head = lane.batches[0]!
  if (head.identity !== undefined) {
    // Its acknowledgement was the proof: the broker expects just this batch.
    if (head.baseSequence === lane.sequences.expected) {
      lane.unresolved = false
      return true
    }
    // Its own fate is unknown too: only under its old sequence may it be asked for.
    if (head.fateUnknown) return true
  }
  if (!lane.sequences.isSettled) lane.needsBump = true
  lane.unresolved = false
  return true
}

/** Starts a new epoch for what is left. */
const bump = (lane: Lane): boolean => {
  if (lane.inFlight > 0) return false
  const { identity } = lane.sequences
  if (identity !== undefined && isTransactional(lane)) {
    // The epoch is the coordinator's to bump: this producer would be fenced from its own transaction.
    lane.host.renewIdentity(identity)
    return false
  }
  for (const batch of [...lane.batches]) {
    if (batch.identity === undefined) continue
    if (batch.fateUnknown) lane.host.rejectSequenceLost(lane, batch)
    else batch.forgetIdentity()
  }
  if (identity !== undefined && !lane.sequences.bump()) lane.host.renewIdentity(identity)
  lane.needsBump = false
  lane.confirmed = false
  return lane.batches.length > 0
}
