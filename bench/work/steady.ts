import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Sink } from '../clients/client.js'
import { quantile } from '../harness/stats.js'
import { type PayloadSpec, payloads } from './payloads.js'

/** Single sends at a steady rate over some topics, as a service has them: what each costs, and how long it takes. */
export interface SteadyWork {
  readonly kind: 'steady'
  readonly topics: readonly string[]
  readonly payload: PayloadSpec
  readonly recordsPerSecond: number
  readonly warmupSeconds: number
  readonly seconds: number
}

export interface SteadyResult {
  /** Of the whole process, the offering included. */
  readonly cpuMicrosPerRecord: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  /** Acknowledged in the measured time to what was to be offered: below 1, the client did not keep up. */
  readonly kept: number
  readonly failed: number
}

const TICK_MS = 1

export const steady = async (
  open: (sink: Sink) => Promise<Client>,
  { topics, payload, recordsPerSecond, warmupSeconds, seconds }: SteadyWork,
): Promise<SteadyResult> => {
  const client = await open({ onDelivered: () => undefined, onFailed: () => undefined })
  await client.connect()
  const records = payloads(payload)
  const recordsPerMs = recordsPerSecond / 1000
  let offered = 0
  let ended = 0
  let failed = 0
  let latencies: number[] = []

  const send = (): void => {
    const start = performance.now()
    client.send(topics[offered % topics.length]!, records[offered % records.length]!).then(
      () => {
        ended++
        latencies.push(performance.now() - start)
      },
      () => {
        ended++
        failed++
      },
    )
    offered++
  }
  const offer = async (forSeconds: number): Promise<void> => {
    const start = performance.now()
    const base = offered
    for (;;) {
      const elapsed = performance.now() - start
      if (elapsed >= forSeconds * 1000) return
      // A late tick makes up for the time it missed, as arriving requests would.
      const due = base + Math.floor(elapsed * recordsPerMs)
      while (offered < due) send()
      await sleep(TICK_MS)
    }
  }
  // Each topic once, whatever the rate is.
  for (const topic of topics) await client.send(topic, records[0]!)
  await offer(warmupSeconds)
  latencies = []
  failed = 0
  const before = process.cpuUsage()
  const base = offered
  await offer(seconds)
  const { user, system } = process.cpuUsage(before)
  const measured = latencies
  const kept = measured.length / (recordsPerSecond * seconds)
  const cpuMicrosPerRecord = (user + system) / (offered - base)
  while (ended < offered) await sleep(10)
  await client.close()
  return {
    cpuMicrosPerRecord,
    p50Ms: quantile(measured, 0.5),
    p99Ms: quantile(measured, 0.99),
    p999Ms: quantile(measured, 0.999),
    kept,
    failed,
  }
}
