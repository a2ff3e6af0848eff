import { ERROR } from '../../protocol/errorCodes.js'

/** What a leader says to a client that names the leader epoch it knows (-1: none), as in KIP-320. */
export const epochError = (clientEpoch: number, leaderEpoch: number): number => {
  if (clientEpoch < 0 || clientEpoch === leaderEpoch) return ERROR.NONE
  return clientEpoch < leaderEpoch ? ERROR.FENCED_LEADER_EPOCH : ERROR.UNKNOWN_LEADER_EPOCH
}
