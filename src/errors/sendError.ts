import type { RecordMetadata } from 'kafkajs'
import { NonRetriableError, place } from './bases.js'

/** The records of one call and one partition that failed together. */
export interface FailedRecords {
  readonly topic: string
  /** -1 where the records failed before a partition was chosen. */
  readonly partition: number
  /** Their places in the `messages` array of the call (of that topic's array, for `sendBatch`). */
  readonly messageIndexes: readonly number[]
  readonly error: Error
}

/** A `send` or `sendBatch` of which some records failed; the others are in `acknowledged`. */
export class SendError extends NonRetriableError {
  static override readonly name: string = 'SendError'

  readonly acknowledged: readonly RecordMetadata[]
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
