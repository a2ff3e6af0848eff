import type { ProducerIdentity } from '../../../delivery/batch/producerIdentity.js'
import { type ErrorContext, NonRetriableError } from '../../../errors/bases.js'
import { OffsetsRefusedError } from '../../../errors/index.js'
import { ERROR, type ErrorCode } from '../../../protocol/errorCodes.js'
import { addOffsetsToTxnApi } from '../../../protocol/messages/addOffsetsToTxn.js'
import { txnOffsetCommitApi } from '../../../protocol/messages/txnOffsetCommit.js'
import type { Decoded } from '../../../protocol/wire/codec.js'
import type { TransactionOffsets } from '../../types.js'
import type { Coordinators, Patience } from './coordinators.js'
import { isFatal, judge, refusalOf } from './verdicts.js'

/**
 * So often the coordinator may not know a topic whose offset it is given: a new one reaches all brokers within less than the second or two
 * that this takes, one that does not exist never does.
 */
const MOST_UNKNOWN_ANSWERS = 20

/** What any coordinator says of the producer's transaction. */
const NOT_THE_GROUPS: ReadonlySet<number> = new Set([
  ERROR.INVALID_PRODUCER_ID_MAPPING,
  ERROR.UNKNOWN_PRODUCER_ID,
  ERROR.TRANSACTION_ABORTABLE,
])

export interface GroupOffsetsParts {
  readonly transactionalId: string
  readonly identity: () => ProducerIdentity
  readonly coordinators: Coordinators
  readonly patience: Patience
}

interface PartitionOffset {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
  readonly metadata: string | null
}

/** Offsets that a group has taken, to become its own with the commit. */
export interface TakenOffset {
  readonly groupId: string
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** `sendOffsets`: the offsets that become a group's with the transaction (AddOffsetsToTxn, TxnOffsetCommit; KIP-98, KIP-447). */
export class GroupOffsets {
  private readonly parts: GroupOffsetsParts
  private readonly groups = new Set<string>()
  /** A request has left: the coordinator may have begun a transaction. */
  isBegun = false
  readonly taken: TakenOffset[] = []

  constructor(parts: GroupOffsetsParts) {
    this.parts = parts
  }

  /**
   * @throws {NonRetriableError} on what is no offset
   * @throws {OffsetsRefusedError} {CoordinatorTimeoutError} and errors that are fatal to the producer
   */
  async send(offsets: TransactionOffsets): Promise<void> {
    const wanted = checked(offsets)
    const { consumerGroupId: groupId } = offsets
    if (wanted.length === 0) return
    if (!this.groups.has(groupId)) await this.addGroup(groupId)
    await this.commit(offsets, wanted)
    for (const { topic, partition, offset } of wanted) {
      this.taken.push({ groupId, topic, partition, offset: String(offset) })
    }
  }

  private async addGroup(groupId: string): Promise<void> {
    const { transactionalId, coordinators, patience } = this.parts
    this.isBegun = true
    await coordinators.ask({
      api: addOffsetsToTxnApi,
      coordinator: { type: 'transaction', name: transactionalId },
      body: () => ({ ...this.producer, groupId }),
      codeOf: ({ errorCode }) => errorCode,
      refusal: (request, verdict, context) => this.refusal(groupId, request, verdict, context),
      patience,
    })
    this.groups.add(groupId)
  }

  private async commit(offsets: TransactionOffsets, wanted: readonly PartitionOffset[]): Promise<void> {
    const { consumerGroupId: groupId, generationId = -1, memberId = '', groupInstanceId = null } = offsets
    let left = wanted
    let culprit: PartitionOffset | undefined
    let unknownAnswers = 0
    await this.parts.coordinators.ask({
      api: txnOffsetCommitApi,
      coordinator: { type: 'group', name: groupId },
      body: () => ({
        ...this.producer,
        groupId,
        generationId,
        memberId,
        groupInstanceId,
        topics: byTopic(left),
      }),
      codeOf: response => {
        const codes = codesOf(response)
        const failed = left.map(each => codes.get(nameOf(each)) ?? ERROR.UNKNOWN_SERVER_ERROR)
        // What cannot be mended is told before what can.
        const decisive = failed.findIndex(code => judge(code) === 'final')
        const at = decisive >= 0 ? decisive : failed.findIndex(code => code !== ERROR.NONE)
        culprit = left[at]
        left = left.filter((_, i) => failed[i] !== ERROR.NONE)
        if (failed[at] === ERROR.UNKNOWN_TOPIC_OR_PARTITION) unknownAnswers++
        return failed[at] ?? ERROR.NONE
      },
      judge: code =>
        code === ERROR.UNKNOWN_TOPIC_OR_PARTITION && unknownAnswers >= MOST_UNKNOWN_ANSWERS
          ? 'final'
          : judge(code),
      refusal: (request, verdict, context) =>
        this.refusal(groupId, request, verdict, {
          ...context,
          topic: culprit?.topic,
          partition: culprit?.partition,
        }),
      patience: this.parts.patience,
    })
  }

  private get producer(): { transactionalId: string; producerId: bigint; producerEpoch: number } {
    const { producerId, epoch } = this.parts.identity()
    return { transactionalId: this.parts.transactionalId, producerId, producerEpoch: epoch }
  }

  private refusal(groupId: string, request: string, verdict: ErrorCode, context: ErrorContext): Error {
    const error = refusalOf(this.parts.transactionalId, request, verdict, context)
    if (isFatal(error) || NOT_THE_GROUPS.has(verdict.code)) return error
    const isTheGroups =
      request !== addOffsetsToTxnApi.name || verdict.code === ERROR.GROUP_AUTHORIZATION_FAILED
    return isTheGroups ? new OffsetsRefusedError(groupId, { verdict, ...context }) : error
  }
}

/** @throws {NonRetriableError} with kafkajs's words where kafkajs has some */
const checked = ({ consumerGroupId, topics }: TransactionOffsets): PartitionOffset[] => {
  if (!consumerGroupId) throw new NonRetriableError('Missing consumerGroupId')
  if (!topics) throw new NonRetriableError('Missing offset topics')
  return topics.flatMap(({ topic, partitions }) =>
    partitions.map(
      ({ partition, offset, metadata }: { partition: number; offset: string; metadata?: string | null }) => {
        if (!/^\d+$/.test(String(offset)))
          throw new NonRetriableError('Invalid offset: it must be a whole number, as a string', {
            topic,
            partition,
          })
        return { topic, partition, offset: BigInt(offset), metadata: metadata ?? null }
      },
    ),
  )
}

const nameOf = ({ topic, partition }: { topic: string; partition: number }): string => `${partition} ${topic}`

const codesOf = ({ topics }: Decoded<typeof txnOffsetCommitApi.response>): Map<string, number> =>
  new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, errorCode }) =>
          [nameOf({ topic: name, partition: partitionIndex }), errorCode] as const,
      ),
    ),
  )

const byTopic = (offsets: readonly PartitionOffset[]) =>
  [...new Set(offsets.map(({ topic }) => topic))].map(name => ({
    name,
    partitions: offsets
      .filter(({ topic }) => topic === name)
      .map(({ partition, offset, metadata }) => ({
        partitionIndex: partition,
        committedOffset: offset,
        committedMetadata: metadata,
      })),
  }))
