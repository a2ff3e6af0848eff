import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Client, Sink } from '../clients/client.js'

/** Records to each topic, all at once, none awaited before the next; none of the topics has been used before. */
export interface NewTopicsWork {
  readonly kind: 'newTopics'
  readonly topics: readonly string[]
  /** Per topic. Default 1. */
  readonly records?: number
  /** Default 32. bytes */
  readonly valueBytes?: number
  /** After it, records without an end are counted as such. ms */
  readonly deadlineMs: number
}

export interface NewTopicsResult {
  readonly delivered: number
  readonly failed: number
  readonly unended: number
  readonly seconds: number
  /** How late a timer fires at the most, beside the caller's own loop. ms */
  readonly longestStallMs: number
  /** Of the client's process, with its threads. ms */
  readonly cpuMs: number
  readonly error: string | undefined
  /** Whether each failure's message names its topic. */
  readonly errorsNameTopic: boolean
  readonly metadataRequests: number | undefined
}

const STALL_RESOLUTION_MS = 1

const silent: Sink = { onDelivered: () => undefined, onFailed: () => undefined }
const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const newTopics = async (
  open: (sink: Sink) => Promise<Client>,
  { topics, records = 1, valueBytes = 32, deadlineMs }: NewTopicsWork,
): Promise<NewTopicsResult> => {
  const client = await open(silent)
  await client.connect()
  const value = Buffer.alloc(valueBytes, 'v')
  const failures: { topic: string; text: string }[] = []
  const total = topics.length * records
  const ended = new Set<string>()
  let delivered = 0
  const cpu = process.cpuUsage()
  let last = performance.now()
  const start = last
  const sends: Promise<void>[] = []
  for (let record = 0; record < records; record++) {
    for (const topic of topics) {
      const sent = client.send(topic, { key: undefined, value, headers: undefined }).then(
        () => {
          delivered++
          ended.add(topic)
          last = performance.now()
        },
        error => {
          failures.push({ topic, text: message(error) })
          ended.add(topic)
          last = performance.now()
        },
      )
      sends.push(sent)
    }
  }
  await new Promise(resolve => setImmediate(resolve))
  const stalls = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS })
  stalls.enable()
  const deadline = new Promise(resolve => setTimeout(resolve, deadlineMs).unref())
  await Promise.race([Promise.all(sends), deadline])
  stalls.disable()
  const { user, system } = process.cpuUsage(cpu)
  const unended = total - delivered - failures.length
  if (unended > 0) last = performance.now()
  const [first] = failures
  const hanging = topics.find(topic => !ended.has(topic))
  const metadataRequests = await client.metadataRequests?.()
  // A client that waits for what can never end would not close: the process ends instead.
  if (unended === 0) await Promise.race([client.close().catch(() => undefined), deadline])
  return {
    delivered,
    failed: failures.length,
    unended,
    seconds: (last - start) / 1000,
    longestStallMs: Math.max(0, stalls.max / 1e6 - STALL_RESOLUTION_MS),
    cpuMs: (user + system) / 1000,
    error: hanging === undefined ? first?.text : `no end of the send to ${hanging}`,
    metadataRequests,
    errorsNameTopic: failures.length > 0 && failures.every(({ topic, text }) => text.includes(topic)),
  }
}
