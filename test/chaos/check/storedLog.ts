/** In place of a number: no reader of committed records sees it, a transaction's marker or a record of an aborted one. */
export const HIDDEN = -2

/** What a partition's log holds, read from its start to its end: a column per property, a row per record. */
export interface StoredLog {
  readonly topic: string
  readonly partition: number
  /** As the broker tells it, apart from what was read. */
  readonly endOffset: number
  readonly offsets: Float64Array
  /** The number in each record's value; -1: not one of this run's records; else {@link HIDDEN}. */
  readonly numbers: Float64Array
  /** Of the leader that appended the record. */
  readonly leaderEpochs: Int32Array
}
