import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Sink } from '../clients/client.js'
import { quantile } from '../harness/stats.js'
import type { AskHarness } from './stoppedBroker.js'

/** A steady trickle to a healthy topic, alone and beside a flood to one that takes nothing. */
export interface IsolationWork {
  readonly kind: 'isolation'
  readonly healthy: string
  readonly sick: string
  /** Whether the sick topic is there before its trouble begins. */
  readonly sickExists: boolean
  readonly healthyPerSecond: number
  readonly sickBytesPerSecond: number
  readonly valueBytes: number
  readonly seconds: number
}

export interface IsolationResult {
  /** Of sends to the healthy topic, before and during the trouble of the other. ms */
  readonly aloneP99Ms: number
  readonly besideP50Ms: number
  readonly besideP99Ms: number
  readonly besideMaxMs: number
  /** Sends to the healthy topic that failed, or had not ended a while after the last. */
  readonly failed: number
  readonly error: string | undefined
  readonly sickOffered: number
}

const TICK_MS = 5
const SETTLE_MS = 2_000
const CLOSE_MS = 2_000
const HEALTHY_BYTES = 1_000

export const isolation = async (
  open: (sink: Sink) => Promise<Client>,
  work: IsolationWork,
  ask: AskHarness,
): Promise<IsolationResult> => {
  const client = await open({ onDelivered: () => undefined, onFailed: () => undefined })
  await client.connect()
  const sickRecord = { key: undefined, value: Buffer.alloc(work.valueBytes, 's'), headers: undefined }
  const healthyRecord = { key: undefined, value: Buffer.alloc(HEALTHY_BYTES, 'h'), headers: undefined }
  for (let i = 0; i < 20; i++) await client.send(work.healthy, healthyRecord)
  if (work.sickExists) await client.send(work.sick, sickRecord)

  let error: string | undefined
  const trickle = async (): Promise<{ latencies: number[]; failed: number }> => {
    const latencies: number[] = []
    let sent = 0
    let failed = 0
    const start = performance.now()
    while (performance.now() - start < work.seconds * 1000) {
      const due = Math.floor(((performance.now() - start) * work.healthyPerSecond) / 1000)
      for (; sent < due; sent++) {
        const at = performance.now()
        client.send(work.healthy, healthyRecord).then(
          () => latencies.push(performance.now() - at),
          (cause: unknown) => {
            failed++
            error ??= cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)
          },
        )
      }
      await sleep(TICK_MS)
    }
    await sleep(SETTLE_MS)
    return { latencies, failed: failed + (sent - latencies.length - failed) }
  }

  const alone = await trickle()
  await ask('pause')
  let sickOffered = 0
  let isFlooding = true
  const flood = async (): Promise<void> => {
    const start = performance.now()
    while (isFlooding) {
      const due = ((performance.now() - start) * work.sickBytesPerSecond) / 1000 / work.valueBytes
      for (; sickOffered < due; sickOffered++) client.submit(work.sick, sickRecord)
      await sleep(TICK_MS)
    }
  }
  const flooding = flood()
  const beside = await trickle()
  isFlooding = false
  await flooding
  await ask('resume')
  await Promise.race([client.close().catch(() => undefined), sleep(CLOSE_MS)])
  return {
    aloneP99Ms: quantile(alone.latencies, 0.99),
    besideP50Ms: quantile(beside.latencies, 0.5),
    besideP99Ms: quantile(beside.latencies, 0.99),
    besideMaxMs: Math.max(...beside.latencies),
    failed: beside.failed,
    error,
    sickOffered,
  }
}
