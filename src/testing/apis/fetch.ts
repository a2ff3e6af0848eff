/**
 * Fetch, versions 4-12, without fetch sessions: the session id in the answer is always 0, so clients name all their
 * partitions each time. Waits up to the client's time for its minimum of bytes; the first batch is served whatever
 * its size (KIP-74). Readers of committed records get what lies before the last stable offset, and the aborted
 * transactions in it. Leader epochs are checked (KIP-320).
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { fetchApi } from '../../protocol/messages/fetch.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { type LogEntry, servedBytes } from '../state/log.js'
import type { Partition } from '../state/topics/topic.js'
import { waitForChange } from '../state/wait.js'
import { epochError } from './leaderEpoch.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof fetchApi.request>
type Response = Encodable<typeof fetchApi.response>
type Wanted = Request['topics'][number]['partitions'][number]
type PartitionAnswer = Response['responses'][number]['partitions'][number]

const READ_COMMITTED = 1

/** What one partition is answered with; its bytes are joined only once it is clear that the answer goes out. */
interface Plan {
  readonly topic: string
  readonly wanted: Wanted
  readonly partition: Partition | undefined
  readonly errorCode: number
  readonly entries: readonly LogEntry[]
  readonly bytes: number
}

const readable = (partition: Partition, committedOnly: boolean): number =>
  committedOnly ? partition.log.lastStableOffset : partition.log.endOffset

const takeEntries = (
  partition: Partition,
  wanted: Wanted,
  end: number,
  budget: number,
  mustHave: boolean,
) => {
  const limit = Math.min(wanted.partitionMaxBytes, budget)
  const entries: LogEntry[] = []
  let bytes = 0
  const { log } = partition
  for (let index = log.indexOf(Number(wanted.fetchOffset)); ; index++) {
    const entry = log.entryAt(index)
    if (!entry || entry.lastOffset >= end) break
    if (bytes + entry.bytes.length > limit && !(mustHave && entries.length === 0)) break
    entries.push(entry)
    bytes += entry.bytes.length
  }
  return { entries, bytes }
}

const plan = (request: Request, { cluster, node }: RequestContext): Plan[] => {
  let budget = request.maxBytes
  let nothingYet = true
  return request.topics.flatMap(({ topic: name, partitions }) =>
    partitions.map((wanted): Plan => {
      const topic = cluster.visibleTopic(name, node)
      const partition = topic?.partitions[wanted.partition]
      const failed = (errorCode: number): Plan => ({
        topic: name,
        wanted,
        partition,
        errorCode,
        entries: [],
        bytes: 0,
      })
      if (cluster.acl.isDenied(name, 'read')) return failed(ERROR.TOPIC_AUTHORIZATION_FAILED)
      if (!partition) return failed(ERROR.UNKNOWN_TOPIC_OR_PARTITION)
      if (partition.leader !== node) return failed(ERROR.NOT_LEADER_OR_FOLLOWER)
      const wrongEpoch = epochError(wanted.currentLeaderEpoch, partition.leaderEpoch)
      if (wrongEpoch !== ERROR.NONE) return failed(wrongEpoch)
      const offset = Number(wanted.fetchOffset)
      if (offset < partition.log.startOffset || offset > partition.log.endOffset) {
        return failed(ERROR.OFFSET_OUT_OF_RANGE)
      }
      const end = readable(partition, request.isolationLevel === READ_COMMITTED)
      const taken = takeEntries(partition, wanted, end, budget, nothingYet)
      budget = Math.max(0, budget - taken.bytes)
      if (taken.entries.length > 0) nothingYet = false
      return { topic: name, wanted, partition, errorCode: ERROR.NONE, ...taken }
    }),
  )
}

const answer = ({ wanted, partition, errorCode, entries }: Plan, committedOnly: boolean): PartitionAnswer => {
  if (errorCode !== ERROR.NONE || !partition) {
    const known = partition && { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch }
    return {
      partitionIndex: wanted.partition,
      errorCode,
      highWatermark: -1n,
      lastStableOffset: -1n,
      abortedTransactions: null,
      records: Buffer.alloc(0),
      currentLeader: errorCode === ERROR.NOT_LEADER_OR_FOLLOWER ? known : undefined,
    }
  }
  const { log } = partition
  const nextOffset = (entries.at(-1)?.lastOffset ?? Number(wanted.fetchOffset) - 1) + 1
  return {
    partitionIndex: wanted.partition,
    errorCode,
    highWatermark: BigInt(log.endOffset),
    lastStableOffset: BigInt(log.lastStableOffset),
    logStartOffset: BigInt(log.startOffset),
    abortedTransactions: committedOnly
      ? log.abortedIn(Number(wanted.fetchOffset), nextOffset).map(({ producerId, firstOffset }) => ({
          producerId: BigInt(producerId),
          firstOffset: BigInt(firstOffset),
        }))
      : null,
    records: servedBytes(entries),
  }
}

const byTopic = (plans: readonly Plan[], committedOnly: boolean): Response['responses'] => {
  const topics = new Map<string, PartitionAnswer[]>()
  for (const each of plans) {
    const answers = topics.get(each.topic) ?? []
    topics.set(each.topic, answers)
    answers.push(answer(each, committedOnly))
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}

export const fetch = serve<Request, Response>(fetchApi, {
  topics: {
    names: request => request.topics.map(({ topic }) => topic),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ topic }) => keep(topic)) }),
    join: (first, second) => ({ ...second, responses: [...first.responses, ...second.responses] }),
  },
  handle: async (request, context) => {
    const deadline = performance.now() + request.maxWaitMs
    let plans = plan(request, context)
    for (;;) {
      const bytes = plans.reduce((sum, each) => sum + each.bytes, 0)
      const failed = plans.some(({ errorCode }) => errorCode !== ERROR.NONE)
      const left = deadline - performance.now()
      if (bytes >= request.minBytes || failed || left <= 0) break
      const watched = plans.flatMap(({ partition }) => partition ?? [])
      const outcome = await waitForChange(left, context.connection.closed, changed => {
        const ends = watched.map(partition => partition.watch(changed))
        return () => {
          for (const end of ends) end()
        }
      })
      if (outcome === 'aborted') return null
      plans = plan(request, context)
    }
    const committedOnly = request.isolationLevel === READ_COMMITTED
    return { throttleTimeMs: 0, responses: byTopic(plans, committedOnly) }
  },
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    responses: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(wanted =>
        answer({ topic, wanted, partition: undefined, errorCode, entries: [], bytes: 0 }, false),
      ),
    })),
  }),
})
