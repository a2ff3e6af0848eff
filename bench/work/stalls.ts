import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientOptions } from '../clients/client.js'
import { createOurs } from '../clients/ours.js'
import type { AskHarness } from './stoppedBroker.js'

/** Much that ends at once: how long the event loop stands still for it. */
export interface StallsWork {
  readonly kind: 'stalls'
  readonly topic: string
  readonly what: 'sends that time out' | 'enqueued records that fail' | 'one sendBatch'
  readonly records: number
}

export interface StallsResult {
  /** How late a 1 ms timer fires at the most, while the records end. ms */
  readonly longestStallMs: number
  /** The call itself: validation and encoding of what it hands over. ms */
  readonly callMs: number
  readonly delivered: number
  readonly failed: number
}

const DELIVERY_TIMEOUT_MS = 3_000
const VALUE = Buffer.alloc(100, 'v')

export const stalls = async (
  options: ClientOptions,
  { topic, what, records }: StallsWork,
  ask: AskHarness,
): Promise<StallsResult> => {
  const producer = createOurs({
    ...options,
    settings:
      what === 'one sendBatch'
        ? {}
        : {
            deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
            requestTimeoutMs: 1_500,
            ackTimeoutMs: 1_000,
            bufferBytes: 256 * 2 ** 20,
          },
  })
  await producer.connect()
  await producer.send({ topic, messages: [{ value: VALUE }] })
  if (what !== 'one sendBatch') await ask('pause')
  let delivered = 0
  let failed = 0
  const ended = (error: Error | null): void => void (error === null ? delivered++ : failed++)
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  const start = performance.now()
  if (what === 'one sendBatch') {
    const messages = Array.from({ length: records }, () => ({ value: VALUE }))
    const sent = producer.sendBatch({ topicMessages: [{ topic, messages }] })
    const callMs = performance.now() - start
    // The call's own loop is the caller's.
    await new Promise(resolve => setImmediate(resolve))
    histogram.enable()
    await sent.then(
      () => (delivered = records),
      () => (failed = records),
    )
    await producer.disconnect()
    return { longestStallMs: Math.max(0, histogram.max / 1e6 - 1), callMs, delivered, failed }
  }
  for (let i = 0; i < records; i++) {
    if (what === 'enqueued records that fail') producer.enqueue(topic, { value: VALUE }, ended)
    else {
      producer.send({ topic, messages: [{ value: VALUE }] }).then(
        () => ended(null),
        (error: Error) => ended(error),
      )
    }
  }
  const callMs = performance.now() - start
  await new Promise(resolve => setImmediate(resolve))
  histogram.enable()
  while (delivered + failed < records) await sleep(20)
  histogram.disable()
  await ask('resume')
  await producer.disconnect({ timeoutMs: 1_000 }).catch(() => undefined)
  return { longestStallMs: Math.max(0, histogram.max / 1e6 - 1), callMs, delivered, failed }
}
