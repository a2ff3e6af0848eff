import type { Lane } from '../../delivery/lane.js'
import type { ProducerIdentity } from '../../delivery/sequences.js'
import { TopicAuthorizationError } from '../../errors/index.js'
import { ERROR } from '../../protocol/errorCodes.js'
import { addPartitionsToTxnApi } from '../../protocol/messages/addPartitionsToTxn.js'
import type { Decoded } from '../../protocol/wire/codec.js'
import type { Coordinators, Patience } from './coordinators.js'
import { refusalOf } from './verdicts.js'

export interface EnrolmentParts {
  readonly transactionalId: string
  readonly identity: () => ProducerIdentity
  readonly coordinators: Coordinators
  readonly patience: Patience
  /** The coordinator lets nothing of this partition into a transaction. */
  readonly refused: (lane: Lane, error: Error) => void
  /** The partitions cannot be added: the transaction has failed. */
  readonly failed: (error: Error) => void
}

/**
 * The partitions of one transaction. Each is added by AddPartitionsToTxn before the first of its batches goes (KIP-98); all that
 * ask in one turn of the loop, or while a request is under way, go in one request.
 */
export class Enrolment {
  private readonly parts: EnrolmentParts
  private readonly members = new Set<Lane>()
  private readonly wanted = new Set<Lane>()
  /** Refused for a while: they go in requests of their own, for one such partition keeps all others of its request out. */
  private readonly unknown = new Set<Lane>()
  private running: Promise<void> | undefined
  /** A request has left: the coordinator may have begun a transaction. */
  isBegun = false

  constructor(parts: EnrolmentParts) {
    this.parts = parts
  }

  /** Whether the lane's batches may go. If not yet, its sender is woken once they may. */
  joins(lane: Lane): boolean {
    if (this.members.has(lane)) return true
    if (!this.unknown.has(lane)) this.wanted.add(lane)
    this.running ??= this.run()
    return false
  }

  /** Resolves when all of them were added, or cannot be. */
  async add(lanes: readonly Lane[]): Promise<void> {
    for (const lane of lanes) this.joins(lane)
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
    let asked: readonly Lane[] = []
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
      refusal: (verdict, context) => refusalOf(transactionalId, 'AddPartitionsToTxn', verdict, context),
      patience,
    })
  }

  /** Returns the code that decides what becomes of the request. */
  private take(asked: readonly Lane[], { results }: Decoded<typeof addPartitionsToTxnApi.response>): number {
    const codes = new Map(
      results.flatMap(({ name, partitions }) =>
        partitions.map(each => [`${each.partitionIndex} ${name}`, each.errorCode] as const),
      ),
    )
    let left: number = ERROR.none
    for (const lane of asked) {
      const code = codes.get(`${lane.partition} ${lane.topic}`) ?? ERROR.operationNotAttempted
      this.wanted.delete(lane)
      this.unknown.delete(lane)
      if (code === ERROR.none) {
        this.members.add(lane)
        lane.sender?.wake(lane)
      } else if (code === ERROR.topicAuthorizationFailed) {
        this.parts.refused(lane, new TopicAuthorizationError(lane.topic, { partition: lane.partition }))
      } else if (code === ERROR.unknownTopicOrPartition) {
        this.unknown.add(lane)
        left ||= code
      } else {
        this.wanted.add(lane)
        if (left === ERROR.none || code !== ERROR.operationNotAttempted) left = code
      }
    }
    return left
  }
}

const byTopic = (lanes: readonly Lane[]): { name: string; partitions: number[] }[] => {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of lanes) {
    const partitions = topics.get(topic)
    if (partitions === undefined) topics.set(topic, [partition])
    else partitions.push(partition)
  }
  return [...topics].map(([name, partitions]) => ({ name, partitions }))
}
