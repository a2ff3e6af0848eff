import type { ProducerIdentity } from '../../../delivery/batch/producerIdentity.js'
import type { PartitionQueue } from '../../../delivery/partitions/partitionQueue.js'
import { TopicAuthorizationError } from '../../../errors/index.js'
import { ERROR } from '../../../protocol/errorCodes.js'
import { addPartitionsToTxnApi } from '../../../protocol/messages/addPartitionsToTxn.js'
import type { Decoded } from '../../../protocol/wire/codec.js'
import type { Coordinators, Patience } from './coordinators.js'
import { refusalOf } from './verdicts.js'

export interface TransactionPartitionsParts {
  readonly transactionalId: string
  readonly identity: () => ProducerIdentity
  readonly coordinators: Coordinators
  readonly patience: Patience
  /** The coordinator does not know the topic, or that partition of it. */
  readonly unknown: (topic: string) => void
  /** The coordinator lets nothing of this partition into a transaction. */
  readonly refused: (queue: PartitionQueue, error: Error) => void
  /** The partitions cannot be added: the transaction has failed. */
  readonly failed: (error: Error) => void
}

/**
 * The partitions of one transaction. Each is added by AddPartitionsToTxn before the first of its batches goes (KIP-98); all that
 * ask in one turn of the loop, or while a request is under way, go in one request.
 */
export class TransactionPartitions {
  private readonly parts: TransactionPartitionsParts
  private readonly members = new Set<PartitionQueue>()
  private readonly wanted = new Set<PartitionQueue>()
  /** Refused for a while: they go in requests of their own, for one such partition keeps all others of its request out. */
  private readonly unknown = new Set<PartitionQueue>()
  private running: Promise<void> | undefined
  /** A request has left: the coordinator may have begun a transaction. */
  isBegun = false

  constructor(parts: TransactionPartitionsParts) {
    this.parts = parts
  }

  /** Adds the partition, unless it is a part already. @returns false while it is being added; the queue's sender is woken then */
  ensureAdded(queue: PartitionQueue): boolean {
    if (this.members.has(queue)) return true
    if (!this.unknown.has(queue)) this.wanted.add(queue)
    this.running ??= this.run()
    return false
  }

  /** Resolves when all of them were added, or cannot be. */
  async add(queues: readonly PartitionQueue[]): Promise<void> {
    for (const queue of queues) this.ensureAdded(queue)
    await this.idle()
  }

  /** Resolves when no request is under way. */
  async idle(): Promise<void> {
    await this.running
  }

  private async run(): Promise<void> {
    // Other partitions of this turn of the loop come along.
    await new Promise<void>(resolve => setImmediate(resolve))
    try {
      while (this.wanted.size + this.unknown.size > 0) await this.ask()
    } catch (error) {
      if (!this.parts.patience.signal.aborted) this.parts.failed(error as Error)
    } finally {
      this.running = undefined
    }
  }

  private async ask(): Promise<void> {
    const { transactionalId, identity, coordinators, patience } = this.parts
    let asked: readonly PartitionQueue[] = []
    await coordinators.ask({
      api: addPartitionsToTxnApi,
      coordinator: { type: 'transaction', name: transactionalId },
      body: () => {
        asked = [...(this.wanted.size > 0 ? this.wanted : this.unknown)]
        this.isBegun = true
        const { producerId, epoch } = identity()
        return { transactionalId, producerId, producerEpoch: epoch, topics: byTopic(asked) }
      },
      codeOf: response => this.take(asked, response),
      refusal: (request, verdict, context) => refusalOf(transactionalId, request, verdict, context),
      patience,
    })
  }

  /** Returns the code that decides what becomes of the request. */
  private take(
    asked: readonly PartitionQueue[],
    { results }: Decoded<typeof addPartitionsToTxnApi.response>,
  ): number {
    const codes = new Map(
      results.flatMap(({ name, partitions }) =>
        partitions.map(each => [`${each.partitionIndex} ${name}`, each.errorCode] as const),
      ),
    )
    let left: number = ERROR.NONE
    for (const queue of asked) {
      const code = codes.get(`${queue.partition} ${queue.topic}`) ?? ERROR.OPERATION_NOT_ATTEMPTED
      this.wanted.delete(queue)
      this.unknown.delete(queue)
      if (code === ERROR.NONE) {
        this.members.add(queue)
        queue.wake()
      } else if (code === ERROR.TOPIC_AUTHORIZATION_FAILED) {
        this.parts.refused(queue, new TopicAuthorizationError(queue.topic, { partition: queue.partition }))
      } else if (code === ERROR.UNKNOWN_TOPIC_OR_PARTITION) {
        this.unknown.add(queue)
        this.parts.unknown(queue.topic)
        left ||= code
      } else {
        this.wanted.add(queue)
        if (left === ERROR.NONE || code !== ERROR.OPERATION_NOT_ATTEMPTED) left = code
      }
    }
    return left
  }
}

const byTopic = (queues: readonly PartitionQueue[]): { name: string; partitions: number[] }[] => {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of queues) {
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}
