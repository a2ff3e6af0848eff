import { beforeEach, describe, expect, it } from 'vitest'
import { MetadataCache, type TopicChange } from '../../../src/metadata/cache/cache.js'
import type { TopicMetadata } from '../../../src/metadata/cache/view.js'
import { ZERO_UUID } from '../../../src/protocol/wire/codec.js'
import { brokerAt } from '../scriptedCluster.js'

const ID = 'a'.repeat(32)
const OTHER_ID = 'b'.repeat(32)

interface PartitionAnswer {
  index: number
  leader: number
  epoch?: number
  errorCode?: number
}

const answer = (partitions: readonly PartitionAnswer[], topicId = ID): TopicMetadata => ({
  errorCode: 0,
  name: 't',
  topicId,
  isInternal: false,
  topicAuthorizedOperations: 0,
  partitions: partitions.map(({ index, leader, epoch = 0, errorCode = 0 }) => ({
    errorCode,
    partitionIndex: index,
    leaderId: leader,
    leaderEpoch: epoch,
    replicaNodes: [],
    isrNodes: [],
    offlineReplicas: [],
  })),
})

describe('MetadataCache', () => {
  let brokers: unknown[]
  let listenerErrors: unknown[]
  let cache: MetadataCache
  let changes: TopicChange[]
  const apply = (partitions: readonly PartitionAnswer[], topicId?: string, nodeId = 1, now = 1) =>
    cache.applyTopic('t', answer(partitions, topicId), now, nodeId)
  const leaders = () => cache.peek('t')?.partitions.map(each => [each.leader, each.leaderEpoch])

  beforeEach(() => {
    brokers = []
    listenerErrors = []
    cache = new MetadataCache({
      onBrokers: each => brokers.push(each),
      onListenerError: error => listenerErrors.push(error),
    })
    changes = []
    cache.subscribe(change => changes.push(change))
  })

  it('gives a topic in index order, whatever the order of the answer', () => {
    const topic = apply([
      { index: 2, leader: 3 },
      { index: 0, leader: 1 },
      { index: 1, leader: 2 },
    ])
    expect(topic?.partitions.map(each => [each.index, each.leader])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ])
    expect(topic?.available).toEqual([0, 1, 2])
    expect(cache.topic('t')).toBe(topic)
  })

  it('takes a partition with LEADER_NOT_AVAILABLE, or left out, as offline, and leaves the others usable', () => {
    const topic = apply([
      { index: 0, leader: 1, errorCode: 5 },
      { index: 2, leader: 2 },
    ])
    expect(topic?.partitions.map(each => each.leader)).toEqual([-1, -1, 2])
    expect(topic?.available).toEqual([2])
  })

  it('takes REPLICA_NOT_AVAILABLE for no error', () => {
    expect(apply([{ index: 0, leader: 1, errorCode: 9 }])?.available).toEqual([0])
  })

  it('does not store a new topic without any leader, but keeps a known one that lost them all', () => {
    expect(apply([{ index: 0, leader: -1, errorCode: 5 }])).toBeUndefined()
    expect(cache.topic('t')).toBeUndefined()
    expect(changes).toEqual([])
    apply([{ index: 0, leader: 1 }])
    expect(apply([{ index: 0, leader: -1, errorCode: 5 }])?.available).toEqual([])
    expect(changes).toHaveLength(2)
  })

  it('ignores an older leader epoch, and takes the same or a newer one', () => {
    apply([{ index: 0, leader: 1, epoch: 5 }])
    apply([{ index: 0, leader: 2, epoch: 4 }])
    expect(leaders()).toEqual([[1, 5]])
    apply([{ index: 0, leader: -1, epoch: 5, errorCode: 5 }])
    expect(leaders()).toEqual([[-1, 5]])
    apply([{ index: 0, leader: 2, epoch: 6 }])
    expect(leaders()).toEqual([[2, 6]])
  })

  it('believes a broker that knows no epochs', () => {
    apply([{ index: 0, leader: 1, epoch: 5 }])
    apply([{ index: 0, leader: 2, epoch: -1 }])
    expect(leaders()).toEqual([[2, -1]])
  })

  it('begins anew when the topic id changes: its epochs are those of another topic', () => {
    const before = apply([{ index: 0, leader: 1, epoch: 5 }])
    const after = apply([{ index: 0, leader: 2, epoch: 0 }], OTHER_ID)
    expect(after).not.toBe(before)
    expect(leaders()).toEqual([[2, 0]])
    expect(before?.partitions[0]?.leader).toBe(1)
    expect(changes.at(-1)).toEqual({ topic: after })
  })

  it('takes an unknown topic id for the same topic', () => {
    const before = apply([{ index: 0, leader: 1, epoch: 5 }], ZERO_UUID)
    const after = apply([{ index: 0, leader: 1, epoch: 5 }])
    expect(after).toBe(before)
    expect(after?.topicId).toBe(ID)
    expect(apply([{ index: 0, leader: 1, epoch: 5 }], ZERO_UUID)?.topicId).toBe(ID)
  })

  it('adds partitions, and drops none under the same id: a lower count is a lagging broker', () => {
    apply([{ index: 0, leader: 1 }])
    apply([
      { index: 0, leader: 1 },
      { index: 1, leader: 2 },
    ])
    apply([{ index: 0, leader: 1 }])
    expect(cache.peek('t')?.available).toEqual([0, 1])
  })

  it('drops partitions where ids are unknown, once two brokers agree: the topic was created again', () => {
    apply(
      [
        { index: 0, leader: 1 },
        { index: 1, leader: 2 },
      ],
      ZERO_UUID,
    )
    cache.applyBrokers({ brokers: [brokerAt(1), brokerAt(2)], controllerId: 1 })
    const before = cache.peek('t')
    expect(apply([{ index: 0, leader: 1 }], ZERO_UUID)?.partitions).toHaveLength(2)
    expect(apply([{ index: 0, leader: 1 }], ZERO_UUID)).toBe(before)
    expect(cache.doubterOf('t')).toBe(1)
    expect(apply([{ index: 0, leader: 1 }], ZERO_UUID, 2)?.partitions).toHaveLength(1)
    expect(cache.peek('t')).not.toBe(before)
    expect(cache.doubterOf('t')).toBeUndefined()
    expect(cache.peek('t')?.available).toEqual([0])
  })

  it('refuses an impossible partition index instead of allocating for it', () => {
    expect(() => apply([{ index: 2 ** 31 - 1, leader: 1 }])).toThrow(/impossible partition index/)
    expect(() => apply([{ index: -1, leader: 1 }])).toThrow(/impossible partition index/)
  })

  it('tells a change once, synchronously, and nothing when nothing changed', () => {
    apply([{ index: 0, leader: 1 }])
    expect(changes).toEqual([{ topic: cache.peek('t') }])
    apply([{ index: 0, leader: 1 }])
    expect(changes).toHaveLength(1)
    apply([{ index: 0, leader: 1, epoch: 1 }])
    expect(changes).toHaveLength(2)
  })

  it('keeps telling the other listeners when one throws', () => {
    const failing = new MetadataCache({
      onBrokers: () => {},
      onListenerError: error => listenerErrors.push(error),
    })
    const bug = new TypeError('a bug')
    const told: TopicChange[] = []
    failing.subscribe(() => {
      throw bug
    })
    const unsubscribe = failing.subscribe(change => told.push(change))
    failing.markGone('t')
    unsubscribe()
    failing.markGone('t')
    expect(listenerErrors).toEqual([bug, bug])
    expect(told).toEqual([{ gone: 't' }])
  })

  it('tells of a topic that is gone, cached or not', () => {
    apply([{ index: 0, leader: 1 }])
    cache.markGone('t')
    cache.markGone('other')
    expect(cache.topic('t')).toBeUndefined()
    expect(changes.slice(1)).toEqual([{ gone: 't' }, { gone: 'other' }])
  })

  it('hands on brokers only when they differ', () => {
    cache.applyBrokers({ brokers: [brokerAt(1), brokerAt(2)], controllerId: 2 })
    cache.applyBrokers({ brokers: [brokerAt(2), brokerAt(1)], controllerId: 1 })
    expect(brokers).toHaveLength(1)
    expect(cache.controllerId).toBe(1)
    cache.applyBrokers({ brokers: [{ ...brokerAt(1), port: 1 }, brokerAt(2)], controllerId: 1 })
    expect(brokers).toHaveLength(2)
    expect(cache.brokers).toHaveLength(2)
  })

  describe('leader hints', () => {
    beforeEach(() => {
      cache.applyBrokers({ brokers: [brokerAt(1), brokerAt(2)], controllerId: 1 })
      apply([{ index: 0, leader: 1, epoch: 5 }])
      changes.length = 0
    })

    it('move a partition when their epoch is newer', () => {
      expect(cache.learnLeader('t', 0, 2, 6)).toBe(true)
      expect(leaders()).toEqual([[2, 6]])
      expect(changes).toEqual([{ topic: cache.peek('t'), partition: 0 }])
    })

    it('keep the list of available partitions, and the list of brokers, where those do not change', () => {
      const { available } = cache.peek('t')!
      const { brokers } = cache
      expect(cache.learnLeader('t', 0, 2, 6, brokerAt(2))).toBe(true)
      expect(cache.peek('t')!.available).toBe(available)
      expect(cache.brokers).toBe(brokers)
    })

    it('are ignored with the same or an older epoch, without a leader, for an unknown topic, partition or broker', () => {
      expect(cache.learnLeader('t', 0, 2, 5)).toBe(false)
      expect(cache.learnLeader('t', 0, 2, 4)).toBe(false)
      expect(cache.learnLeader('t', 0, -1, 6)).toBe(false)
      expect(cache.learnLeader('t', 7, 2, 6)).toBe(false)
      expect(cache.learnLeader('u', 0, 2, 6)).toBe(false)
      expect(cache.learnLeader('t', 0, 9, 6)).toBe(false)
      expect(leaders()).toEqual([[1, 5]])
      expect(changes).toEqual([])
    })

    it("add the broker's address before the change is told", () => {
      let known: number[] = []
      cache.subscribe(() => {
        known = cache.brokers.map(each => each.nodeId)
      })
      expect(cache.learnLeader('t', 0, 9, 6, brokerAt(9))).toBe(true)
      expect(known).toEqual([1, 2, 9])
    })

    it('make an offline partition available, and are not undone by an answer that is older', () => {
      apply([{ index: 0, leader: -1, epoch: 6, errorCode: 5 }])
      expect(cache.peek('t')?.available).toEqual([])
      cache.learnLeader('t', 0, 2, 7)
      expect(cache.peek('t')?.available).toEqual([0])
      apply([{ index: 0, leader: 1, epoch: 5 }])
      expect(leaders()).toEqual([[2, 7]])
    })
  })

  describe('the sweep', () => {
    it('forgets what was not used for the idle time, and tells that it is idle', () => {
      apply([{ index: 0, leader: 1 }])
      changes.length = 0
      expect(cache.sweep(1000, 500).map(each => each.name)).toEqual(['t'])
      expect(cache.sweep(1499, 500).map(each => each.name)).toEqual(['t'])
      expect(changes).toEqual([])
      let known: boolean | undefined
      cache.subscribe(() => {
        known = cache.has('t')
      })
      expect(cache.sweep(1500, 500)).toEqual([])
      expect(cache.size).toBe(0)
      expect(changes).toEqual([{ idle: 't' }])
      expect(known).toBe(false)
    })

    it('counts a lookup as a use, a peek not', () => {
      apply([{ index: 0, leader: 1 }])
      cache.sweep(1000, 500)
      cache.topic('t')
      cache.sweep(1600, 500)
      expect(cache.has('t')).toBe(true)
      cache.peek('t')
      cache.sweep(2100, 500)
      expect(cache.has('t')).toBe(false)
    })

    it('carries the use over to a topic that was created again', () => {
      apply([{ index: 0, leader: 1 }])
      cache.sweep(1000, 500)
      apply([{ index: 0, leader: 1 }], OTHER_ID)
      cache.sweep(1600, 500)
      expect(cache.has('t')).toBe(false)
    })
  })
})
