import { ERROR } from '../../protocol/errorCodes.js'
import type { metadataApi } from '../../protocol/messages/metadata.js'
import { type Decoded, ZERO_UUID } from '../../protocol/wire/codec.js'
import { MalformedMessageError } from '../../protocol/wire/malformed.js'

/** What is known of one partition. */
export interface PartitionView {
  readonly index: number
  /** The leader's node id; -1: none at the moment. */
  leader: number
  /** -1: unknown (brokers before Metadata 7). */
  leaderEpoch: number
}

/**
 * What is known of one topic. The object stays the same while the topic does; a topic that was deleted and created
 * again (another topic id) gets a new one.
 */
export interface TopicView {
  readonly name: string
  /** 32 hexadecimal digits, all 0 where the broker does not tell (Metadata before 10). */
  readonly topicId: string
  /** In index order, without gaps. */
  readonly partitions: readonly PartitionView[]
  /** The indexes of the partitions that have a leader; a new array after each change. */
  readonly available: readonly number[]
  /** When the topic was last used, as seen by the last sweep. ms, performance.now() */
  usedAt: number
  /** When a broker last described it. ms, performance.now() */
  fetchedAt: number
}

export type MetadataResponse = Decoded<typeof metadataApi.response>
export type TopicMetadata = MetadataResponse['topics'][number]

/** The partitions of one answer by index; undefined where the answer leaves one out. */
export type PartitionImages = readonly (
  | { readonly leader: number; readonly leaderEpoch: number }
  | undefined
)[]

/** Far above what Kafka can hold in one topic: a larger index cannot be meant, and must not become an array's length. */
const MAX_PARTITION_INDEX = 1_000_000

const NO_PARTITION_ERROR: ReadonlySet<number> = new Set([ERROR.NONE, ERROR.REPLICA_NOT_AVAILABLE])

/**
 * The partitions of an answer in index order. A partition with an error (LEADER_NOT_AVAILABLE: it is offline) has no
 * leader; REPLICA_NOT_AVAILABLE concerns consumers only.
 *
 * @throws {MalformedMessageError} on an impossible index
 */
export const partitionImages = (topic: TopicMetadata): PartitionImages => {
  const images: ({ leader: number; leaderEpoch: number } | undefined)[] = []
  const highest = topic.partitions.reduce((max, each) => Math.max(max, each.partitionIndex), -1)
  if (highest > MAX_PARTITION_INDEX || topic.partitions.some(each => each.partitionIndex < 0))
    throw new MalformedMessageError('a metadata answer names an impossible partition index')
  for (let index = 0; index <= highest; index++) images.push(undefined)
  for (const each of topic.partitions)
    images[each.partitionIndex] = {
      leader: NO_PARTITION_ERROR.has(each.errorCode) ? Math.max(each.leaderId, -1) : -1,
      leaderEpoch: each.leaderEpoch,
    }
  return images
}

/** Unknown ids say nothing: only two known ids can differ. */
export const isSameTopic = (known: string, seen: string): boolean =>
  known === seen || known === ZERO_UUID || seen === ZERO_UUID
