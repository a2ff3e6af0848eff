import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Sink } from '../clients/client.js'
import { quantile } from '../harness/stats.js'
import { type PayloadSpec, payloads } from './payloads.js'

/** One record at a time: each is awaited before the next. */
export interface AwaitedWork {
  readonly kind: 'awaited'
  readonly topic: string
  readonly payload: PayloadSpec
  /** ms of rest between an answer and the next record; 0: none, a tight loop. */
  readonly gapMs: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface AwaitedResult {
  readonly recordsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly delivered: number
}

const silent: Sink = { onDelivered: () => undefined, onFailed: () => undefined }

export const awaited = async (
  open: (sink: Sink) => Promise<Client>,
  { topic, payload, gapMs, warmupSeconds, seconds }: AwaitedWork,
): Promise<AwaitedResult> => {
  const client = await open(silent)
  await client.connect()
  const records = payloads(payload)
  let delivered = 0
  const loop = async (forSeconds: number): Promise<number[]> => {
    const latencies: number[] = []
    const end = performance.now() + forSeconds * 1000
    while (performance.now() < end) {
      if (gapMs > 0) await sleep(gapMs)
      const start = performance.now()
      await client.send(topic, records[delivered % records.length]!)
      latencies.push(performance.now() - start)
      delivered++
    }
    return latencies
  }
  await loop(warmupSeconds)
  const start = performance.now()
  const latencies = await loop(seconds)
  const elapsed = (performance.now() - start) / 1000
  await client.close()
  return {
    recordsPerSecond: latencies.length / elapsed,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    delivered,
  }
}
