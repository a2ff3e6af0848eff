import type { Batch } from './batch.js'
import type { Lane } from './lane.js'

/*
 * How a lane finds its way back to sequences that its leader expects: after a failure, an unknown fate, or when its topic was
 * created again. Nothing of it is done while a batch is in flight, whose answer may decide.
 */

const NONE: readonly Batch[] = []

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
  lane.leaderChanged()
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

/**
 * A broker that was killed remembers a producer's last batch alone, and refuses those before it although they are in the
 * log. But it takes a batch only behind the one before: when it has one that stands behind, it has them all. So a
 * refused batch of unknown fate is set aside, and the next of unknown fate is asked for.
 *
 * @returns false where nothing behind it can tell
 */
export const setAside = (lane: Lane, batch: Batch): boolean => {
  const { batches, sequences } = lane
  // Of an epoch of which nothing is acknowledged the leader may have no state: it would take any batch for the first.
  if (!batch.fateUnknown || sequences.expected === 0) return false
  const at = batches.indexOf(batch)
  const witness = batches[at + 1]
  if (witness === undefined || !witness.fateUnknown || witness.identity !== batch.identity) return false
  for (let i = 0; i < at; i++) if (!batches[i]!.isSetAside) return false
  batch.isSetAside = true
  return true
}

/** They stand before all others: the answer to any batch behind them tells what became of them. */
export const allSetAside = ({ batches }: Lane): readonly Batch[] =>
  batches[0]!.isSetAside ? batches.filter(each => each.isSetAside) : NONE

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
