import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Sink } from '../clients/client.js'
import { Outstanding } from './outstanding.js'
import { type PayloadSpec, payloads } from './payloads.js'

/** Records at a steady rate, as a service would offer them, with the event loop watched. */
export interface PacedWork {
  readonly kind: 'paced'
  readonly topic: string
  readonly payload: PayloadSpec
  readonly bytesPerSecond: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface PacedResult {
  /** How late a 1 ms timer of the event loop fires. */
  readonly delayP50Ms: number
  readonly delayP99Ms: number
  readonly delayMaxMs: number
  /** Acknowledged in the measured time; below what was offered, the client did not keep up. */
  readonly bytesPerSecond: number
  readonly delivered: number
  readonly failed: number
}

const RESOLUTION_MS = 1
const TICK_MS = 1

export const paced = async (
  open: (sink: Sink) => Promise<Client>,
  { topic, payload, bytesPerSecond, warmupSeconds, seconds }: PacedWork,
): Promise<PacedResult> => {
  const counter = new Outstanding(Number.POSITIVE_INFINITY, 1)
  const client = await open(counter)
  await client.connect()
  const records = payloads(payload)
  const recordsPerMs = bytesPerSecond / payload.valueBytes / 1000
  let offered = 0

  const offer = async (forSeconds: number): Promise<void> => {
    const start = performance.now()
    const base = offered
    for (;;) {
      const elapsed = performance.now() - start
      if (elapsed >= forSeconds * 1000) return
      // A late tick makes up for the time it missed, as arriving requests would.
      const due = base + Math.floor(elapsed * recordsPerMs)
      while (offered < due) client.submit(topic, records[offered++ % records.length]!)
      await sleep(TICK_MS)
    }
  }
  await offer(warmupSeconds)
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const before = counter.delivered
  histogram.enable()
  await offer(seconds)
  histogram.disable()
  const delivered = counter.delivered - before
  while (counter.delivered + counter.failed < offered) await sleep(10)
  await client.close()
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)
  return {
    delayP50Ms: late(histogram.percentile(50)),
    delayP99Ms: late(histogram.percentile(99)),
    delayMaxMs: late(histogram.max),
    bytesPerSecond: (delivered * payload.valueBytes) / seconds,
    delivered: counter.delivered,
    failed: counter.failed,
  }
}
