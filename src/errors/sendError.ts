import type { RecordMetadata } from 'kafkajs'
import { NonRetriableError, place } from './bases.js'

/** The records of one call and one partition that failed together. */
export interface FailedRecords {
  /** Their topic. */
  readonly topic: string
  /** -1 where the records failed before a partition was chosen. */
  readonly partition: number
  /** Their indexes in the `messages` of the call; for `sendBatch`, in those of that topic. */
  readonly messageIndexes: readonly number[]
  /** Why they failed. */
  readonly error: Error
}

/**
 * A part of a `send` or `sendBatch` failed. Only the records in `failed` are to be sent again.
 *
 * @example
 * const messages = [{ value: 'a' }, { value: 'b' }]
 * try {
 *   await producer.send({ topic: 'orders', messages })
 * } catch (error) {
 *   if (!(error instanceof SendError)) throw error
 *   for (const { messageIndexes, error: reason } of error.failed) console.error(messageIndexes.map(index => messages[index]), reason)
 * }
 */
export class SendError extends NonRetriableError {
  static override readonly name: string = 'SendError'

  /** What was acknowledged, as `send` resolves with. */
  readonly acknowledged: readonly RecordMetadata[]
  /** What failed, by partition and error. */
  readonly failed: readonly FailedRecords[]

  constructor(acknowledged: readonly RecordMetadata[], failed: readonly FailedRecords[]) {
    const count = failed.reduce((sum, each) => sum + each.messageIndexes.length, 0)
    const first = failed[0]!
    super(
      `${count} record${count === 1 ? '' : 's'} of this call failed, the first for ${place(first.topic, first.partition < 0 ? undefined : first.partition)}: ${first.error.message} ` +
        `What was acknowledged is in \`acknowledged\`: send only the records in \`failed\` again.`,
      {
        topic: first.topic,
        partition: first.partition < 0 ? undefined : first.partition,
        cause: first.error,
      },
    )
    this.acknowledged = acknowledged
    this.failed = failed
  }
}
