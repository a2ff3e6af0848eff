import { ZERO_UUID } from '../../protocol/wire/codec.js'
import type { PartitionImages, PartitionView, TopicView } from './view.js'

/** The cache's own, writable form of a TopicView. */
export class StoredTopic implements TopicView {
  readonly name: string
  topicId: string
  partitions: readonly PartitionView[] = []
  available: readonly number[] = []
  usedAt: number
  fetchedAt: number
  /** Set by each use, cleared by the sweep: the hot path reads no clock. */
  touched = true
  /** The id of the topic of this name that this one replaced. */
  readonly formerId: string | undefined
  /** The last answer contradicts what is known: the broker lags behind, or the topic was created again. */
  doubt: { readonly nodeId: number; readonly since: number } | undefined

  constructor(name: string, topicId: string, now: number, formerId?: string) {
    this.formerId = formerId === ZERO_UUID ? undefined : formerId
    this.name = name
    this.topicId = topicId
    this.usedAt = now
    this.fetchedAt = now
  }

  /** Whether an answer without topic ids says what cannot have become of this topic: fewer partitions, or lower epochs. */
  isContradictedBy(topicId: string, images: PartitionImages): boolean {
    if (topicId !== ZERO_UUID && this.topicId !== ZERO_UUID) return false
    return (
      images.length < this.partitions.length ||
      images.some((image, index) => {
        const known = this.partitions[index]
        return image !== undefined && known !== undefined && isLower(image.leaderEpoch, known.leaderEpoch)
      })
    )
  }

  /** Takes over an answer about the same topic; says whether anything differs now. */
  merge(topicId: string, images: PartitionImages): boolean {
    const learnsId = this.topicId === ZERO_UUID && topicId !== ZERO_UUID
    if (learnsId) this.topicId = topicId
    const resized = this.#grow(images.length)
    let moved = false
    images.forEach((image, index) => {
      if (image) moved = this.#move(index, image.leader, image.leaderEpoch) || moved
    })
    const changed = learnsId || resized || moved
    if (resized || moved) this.#listAvailable()
    return changed
  }

  /** Takes over a leader hint, which only a newer epoch makes news. */
  hint(index: number, leader: number, leaderEpoch: number): boolean {
    const partition = this.partitions[index]
    if (!partition || leaderEpoch <= partition.leaderEpoch) return false
    const becomesAvailable = partition.leader < 0
    partition.leader = leader
    partition.leaderEpoch = leaderEpoch
    if (becomesAvailable) this.#listAvailable()
    return true
  }

  #move(index: number, leader: number, leaderEpoch: number): boolean {
    const partition = this.partitions[index]!
    // A broker that lags behind must not bring an old leader back; one that knows no epochs can only be believed.
    if (isLower(leaderEpoch, partition.leaderEpoch)) return false
    if (partition.leader === leader && partition.leaderEpoch === leaderEpoch) return false
    partition.leader = leader
    partition.leaderEpoch = leaderEpoch
    return true
  }

  /** Partitions are only ever added to a topic: a lower count is that of a broker that lags behind. */
  #grow(count: number): boolean {
    const known = this.partitions.length
    if (count <= known) return false
    const partitions = this.partitions.slice()
    for (let index = known; index < count; index++) partitions.push({ index, leader: -1, leaderEpoch: -1 })
    this.partitions = partitions
    return true
  }

  #listAvailable(): void {
    this.available = this.partitions.filter(each => each.leader >= 0).map(each => each.index)
  }
}

/** -1: the broker knows no epochs, and can only be believed. */
const isLower = (leaderEpoch: number, known: number): boolean => leaderEpoch !== -1 && leaderEpoch < known
