import type { Admin, Kafka } from 'kafkajs'
import { formatDuration } from '../src/cli/terminal/format.js'
import { RUN_HEADER } from './earthquakes.js'

export interface ReadBackOptions {
  readonly topics: readonly string[]
  readonly runId: string
  /** When the run began; ms since 1970. Nothing older is read. */
  readonly since: number
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** By topic: how often each key of a run stands in the log. */
export type Found = ReadonlyMap<string, ReadonlyMap<string, number>>

/** What is to be read of one partition. */
interface Span {
  readonly topic: string
  readonly partition: number
  /** The first offset that is not read yet. */
  next: bigint
  /** The offset behind the last record. */
  readonly end: bigint
}

/** Clocks of brokers that stamp records themselves (LogAppendTime) may be behind ours by this much; ms. */
const CLOCK_SKEW_MS = 60_000

/** How many partitions each topic has. */
export async function partitionsOf(
  admin: Admin,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  // An empty list would ask for all topics.
  if (topics.length === 0) return new Map()
  const metadata = await admin.fetchTopicMetadata({ topics: [...topics] })
  return new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]))
}

/** Reads the topics from the brokers, with an ordinary kafkajs consumer, up to the end offsets they have now. */
export async function readBack(kafka: Kafka, admin: Admin, options: ReadBackOptions): Promise<Found> {
  const { topics, runId, since } = options
  const spans = (await Promise.all(topics.map(topic => spansOf(admin, topic, since - CLOCK_SKEW_MS)))).flat()
  const unread = spans.filter(({ next, end }) => next < end)
  if (unread.length === 0) return new Map()
  const groupId = `earthquakes-check-${runId}`
  const found = await consume(kafka, groupId, unread, options)
  // Its offsets are of no use to anyone. Where the broker forbids this, they expire by themselves.
  await admin.deleteGroups([groupId]).catch(() => {})
  return found
}

async function spansOf(admin: Admin, topic: string, since: number): Promise<Span[]> {
  const starts = await admin.fetchTopicOffsetsByTimestamp(topic, since)
  const ends = await admin.fetchTopicOffsets(topic)
  const startOf = new Map(starts.map(({ partition, offset }) => [partition, BigInt(offset)]))
  return ends.map(({ partition, offset }) => {
    const end = BigInt(offset)
    return { topic, partition, next: startOf.get(partition) ?? 0n, end }
  })
}

async function consume(
  kafka: Kafka,
  groupId: string,
  spans: readonly Span[],
  { topics, runId, timeoutMs, signal }: ReadBackOptions,
): Promise<Found> {
  const found = new Map(topics.map(topic => [topic, new Map<string, number>()]))
  const name = (topic: string, partition: number) => `${topic}/${partition}`
  const unread = new Map(spans.map(span => [name(span.topic, span.partition), span]))

  let finish = () => {}
  let fail = (_error: Error) => {}
  const finished = new Promise<void>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  finished.catch(() => {})
  const timer = setTimeout(() => {
    fail(new Error(`${unread.size} partitions could not be read back within ${formatDuration(timeoutMs)}`))
  }, timeoutMs)

  const abort = () => fail(signal.reason)
  signal.throwIfAborted()
  signal.addEventListener('abort', abort, { once: true })

  const consumer = kafka.consumer({ groupId, allowAutoTopicCreation: false })
  consumer.on(consumer.events.CRASH, ({ payload }) => fail(payload.error))
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        const span = unread.get(name(batch.topic, batch.partition))
        if (!span) return
        for (const { key, headers, offset } of batch.messages) {
          const at = BigInt(offset)
          // The batch fetched before the seek below took effect comes again after it.
          if (at < span.next || at >= span.end) continue
          span.next = at + 1n
          if (String(headers?.[RUN_HEADER]) === runId) count(found.get(batch.topic)!, String(key))
        }
        // The range may end in records that no consumer sees, such as a transaction's marker.
        if (BigInt(batch.lastOffset()) + 1n >= span.end) unread.delete(name(batch.topic, batch.partition))
        if (unread.size === 0) finish()
      },
    })
    for (const { topic, partition, next } of unread.values()) {
      consumer.seek({ topic, partition, offset: String(next) })
    }
    await finished
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
    await consumer.disconnect()
  }
  return found
}

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
