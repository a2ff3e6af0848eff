import { ERROR } from '../../protocol/errorCodes.js'
import type { CommittedOffset, Groups } from './groups/groups.js'
import { appendMarker } from './marker.js'
import type { Partition } from './topics/topic.js'

export interface ProducerIdentity {
  readonly producerId: number
  readonly epoch: number
}

interface PendingOffset extends CommittedOffset {
  readonly group: string
  readonly topic: string
  readonly partition: number
}

interface Transaction {
  producerId: number
  epoch: number
  /** Whom the last InitProducerId named that gave another epoch: it may have got no answer, and asks again (KIP-360). */
  predecessor: ProducerIdentity | undefined
  timeoutMs: number
  /** Whether the last one ended with a commit; undefined before the first. */
  lastCommitted: boolean | undefined
  ongoing: boolean
  readonly partitions: Set<Partition>
  readonly groups: Set<string>
  readonly offsets: PendingOffset[]
  timer: NodeJS.Timeout | undefined
}

/** What the coordinators need of the cluster. */
export interface TransactionsHost {
  readonly groups: Groups
  newProducerId(): number
}

/** Epochs end below this one; then a new producer id is given out. */
const MAX_EPOCH = 32767

const isSame = (one: ProducerIdentity, other: ProducerIdentity): boolean =>
  one.producerId === other.producerId && one.epoch === other.epoch

/** The identity after this one: the next epoch, or a new id when there is none before or the epochs are used up. */
const nextIdentity = (
  current: ProducerIdentity | undefined,
  newProducerId: () => number,
): ProducerIdentity =>
  current && current.epoch >= 0 && current.epoch < MAX_EPOCH - 1
    ? { producerId: current.producerId, epoch: current.epoch + 1 }
    : { producerId: newProducerId(), epoch: 0 }

/**
 * The transaction coordinators of a cluster, by the first protocol (partitions are added by request, KIP-98) and the
 * implicit adding of Produce version 12 (KIP-890). Markers are written at once.
 */
export class Transactions {
  private readonly cluster: TransactionsHost
  private readonly byId = new Map<string, Transaction>()

  constructor(cluster: TransactionsHost) {
    this.cluster = cluster
  }

  init(
    id: string,
    timeoutMs: number,
    current: ProducerIdentity | undefined,
  ): ProducerIdentity | { readonly errorCode: number } {
    const known = this.byId.get(id)
    if (known && current && !isSame(known, current)) {
      const isAskedAgain = known.predecessor !== undefined && isSame(known.predecessor, current)
      return isAskedAgain ? known : { errorCode: ERROR.PRODUCER_FENCED }
    }
    const next = nextIdentity(known, () => this.cluster.newProducerId())
    if (known) {
      // The markers carry the new epoch, so that what the old producer still sends is refused.
      const { ongoing } = known
      Object.assign(known, next, { timeoutMs, predecessor: current })
      if (ongoing) this.finish(known, false)
      known.lastCommitted = undefined
    } else {
      this.byId.set(id, {
        ...next,
        predecessor: undefined,
        timeoutMs,
        lastCommitted: undefined,
        ongoing: false,
        partitions: new Set(),
        groups: new Set(),
        offsets: [],
        timer: undefined,
      })
    }
    return next
  }

  /** Whether a producer may act for a transactional id; an error code. */
  producerError(id: string, { producerId, epoch }: ProducerIdentity): number {
    const known = this.byId.get(id)
    if (!known || known.producerId !== producerId) return ERROR.INVALID_PRODUCER_ID_MAPPING
    return known.epoch === epoch ? ERROR.NONE : ERROR.PRODUCER_FENCED
  }

  addPartition(id: string, partition: Partition): void {
    const transaction = this.begun(id)
    transaction.partitions.add(partition)
    partition.log.producers.joinTransaction(transaction.producerId)
  }

  addGroup(id: string, group: string): void {
    this.begun(id).groups.add(group)
  }

  hasGroup(id: string, group: string): boolean {
    return this.byId.get(id)?.groups.has(group) ?? false
  }

  /** Offsets that become the group's with the commit. */
  addOffset(id: string, offset: PendingOffset): void {
    this.begun(id).offsets.push(offset)
  }

  /** @returns an error code; ending what has ended in the same way already is no error */
  end(id: string, committed: boolean): number {
    const transaction = this.byId.get(id)
    if (!transaction) return ERROR.INVALID_PRODUCER_ID_MAPPING
    if (!transaction.ongoing) {
      return transaction.lastCommitted === committed ? ERROR.NONE : ERROR.INVALID_TXN_STATE
    }
    this.finish(transaction, committed)
    return ERROR.NONE
  }

  close(): void {
    for (const { timer } of this.byId.values()) clearTimeout(timer)
  }

  private begun(id: string): Transaction {
    const transaction = this.byId.get(id)
    if (!transaction) throw new Error(`transactional id ${id} is not initialised`)
    if (!transaction.ongoing) {
      transaction.ongoing = true
      transaction.timer = setTimeout(() => {
        transaction.epoch++
        this.finish(transaction, false)
      }, transaction.timeoutMs)
    }
    return transaction
  }

  private finish(transaction: Transaction, committed: boolean): void {
    clearTimeout(transaction.timer)
    for (const partition of transaction.partitions) {
      appendMarker(partition, transaction.producerId, transaction.epoch, committed)
    }
    if (committed) {
      for (const { group, topic, partition, ...offset } of transaction.offsets) {
        this.cluster.groups.commit(group, topic, partition, offset)
      }
    }
    transaction.partitions.clear()
    transaction.groups.clear()
    transaction.offsets.length = 0
    transaction.ongoing = false
    transaction.lastCommitted = committed
  }
}
