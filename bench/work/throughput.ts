import type { Client, Payload, Sink } from '../clients/client.js'
import { Outstanding } from './outstanding.js'
import { type PayloadSpec, payloads } from './payloads.js'

export interface ThroughputWork {
  readonly kind: 'throughput'
  /** Taken in turn, call by call. */
  readonly topics: readonly string[]
  readonly payload: PayloadSpec
  /** Records of one call. */
  readonly perCall: number
  readonly window: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface ThroughputResult {
  /** From the first call after the warm-up to the last acknowledgement. */
  readonly recordsPerSecond: number
  /** User and system time of the whole process, native threads included. */
  readonly cpuMicrosPerRecord: number
  /** Acknowledged and failed in all, warm-up included: what end offsets are compared with. */
  readonly delivered: number
  readonly failed: number
  readonly error: string | undefined
  readonly residentBytes: number
}

const caller = (client: Client, records: readonly Payload[], { topics, perCall }: ThroughputWork) => {
  let call = 0
  const nextTopic = (): string => topics[call % topics.length]!
  if (perCall === 1) {
    return (): void => {
      const topic = nextTopic()
      client.submit(topic, records[call++ % records.length]!)
    }
  }
  const arrays = Array.from({ length: 8 }, (_, array) =>
    Array.from({ length: perCall }, (_, i) => records[(array * perCall + i) % records.length]!),
  )
  return (): void => {
    const topic = nextTopic()
    client.submitArray(topic, arrays[call++ % arrays.length]!)
  }
}

export const throughput = async (
  open: (sink: Sink) => Promise<Client>,
  work: ThroughputWork,
): Promise<ThroughputResult> => {
  const outstanding = new Outstanding(work.window, work.perCall)
  const client = await open(outstanding)
  await client.connect()
  outstanding.call = caller(client, payloads(work.payload), work)
  await outstanding.fillFor(work.warmupSeconds)

  const before = outstanding.delivered
  const cpu = process.cpuUsage()
  const start = performance.now()
  await outstanding.fillFor(work.seconds)
  const seconds = (performance.now() - start) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const residentBytes = process.memoryUsage.rss()
  await client.close()
  const measured = outstanding.delivered - before
  return {
    recordsPerSecond: measured / seconds,
    cpuMicrosPerRecord: (user + system) / measured,
    delivered: outstanding.delivered,
    failed: outstanding.failed,
    error: outstanding.firstError,
    residentBytes,
  }
}
