import type { Batch } from '../batch/batch.js'
import { AttemptLog } from '../owners/attemptLog.js'

/** Learns what becomes of the records of one call on their way, beside the call's result. Must not throw. */
export interface CallWatch {
  /** The message at this index of the call's messages for the topic is in a batch. */
  placed(topic: string, index: number, partition: number): void
  /** Messages that were in a batch have ended; called before the call's own result. */
  ended(topic: string, indexes: readonly number[], log: AttemptLog | undefined): void
}

/** From now on the batch keeps a log of its attempts: it is about to take a record that is watched. */
export const logAttemptsOf = (batch: Batch): void => {
  if (batch.attemptLog !== undefined) return
  batch.attemptLog = new AttemptLog()
  const sender = batch.queue?.sender
  if (sender !== undefined) batch.attemptLog.brokers.add(sender.nodeId)
}
