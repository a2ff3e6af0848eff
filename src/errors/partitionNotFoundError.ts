import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/** The topic does not have the partition of `message.partition`, or the one that a partitioner returned. */
export class PartitionNotFoundError extends BrokerVerdictError {
  static override readonly name: string = 'PartitionNotFoundError'

  constructor(topic: string, partition: number, partitionCount: number, context: ErrorContext = {}) {
    super(
      `The ${place(topic)} has no partition ${partition}: it has ${partitionCount} (0 to ${partitionCount - 1}). Correct message.partition or the partitioner, or add partitions to the topic.`,
      { type: 'UNKNOWN_TOPIC_OR_PARTITION', code: 3 },
      { ...context, topic, partition, outcome: context.outcome ?? 'not-written' },
    )
  }
}
