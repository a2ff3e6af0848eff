import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientOptions } from '../clients/client.js'
import { createOurs } from '../clients/ours.js'

/** Many records offered while the broker stands still, by each way of handing them over. */
export interface StoppedBrokerWork {
  readonly kind: 'stoppedBroker'
  readonly topic: string
  readonly offerBy: 'writable' | 'enqueue' | 'send'
  readonly records: number
  readonly valueBytes: number
  /** How long the broker stands still, from the first record offered. ms */
  readonly stoppedMs: number
}

export interface StoppedBrokerResult {
  readonly delivered: number
  readonly failed: number
  readonly error: string | undefined
  readonly residentBeforeBytes: number
  /** Highest while the broker stood still. */
  readonly residentStoppedBytes: number
  /** Highest until everything was acknowledged. */
  readonly residentPeakBytes: number
  /** Seconds from the broker's going on to the last acknowledgement. */
  readonly seconds: number
}

/** Asks the harness, which holds the broker's process. */
export type AskHarness = (what: 'pause' | 'resume') => Promise<void>

const SAMPLE_MS = 25

const watchResident = () => {
  let highest = process.memoryUsage.rss()
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss())
  }, SAMPLE_MS)
  return { highest: () => highest, stop: () => clearInterval(timer) }
}

type Producer = ReturnType<typeof createOurs>
interface Tally {
  delivered: number
  failed: number
  error: string | undefined
}

function* values({ records, valueBytes }: StoppedBrokerWork): Generator<Buffer> {
  // A new buffer each: sharing one would hide what holding the caller's references costs.
  for (let i = 0; i < records; i++) yield Buffer.alloc(valueBytes, i)
}

const OFFER: Readonly<
  Record<
    StoppedBrokerWork['offerBy'],
    (producer: Producer, work: StoppedBrokerWork, tally: Tally) => Promise<void>
  >
> = {
  async writable(producer, work, tally) {
    function* messages() {
      for (const value of values(work)) yield { topic: work.topic, value }
    }
    await pipeline(Readable.from(messages()), producer.writable())
    tally.delivered = work.records
  },
  async enqueue(producer, work, tally) {
    const onDelivery = (error: Error | null): void => {
      if (error === null) tally.delivered++
      else {
        tally.failed++
        tally.error ??= error.message
      }
    }
    for (const value of values(work)) {
      if (!producer.enqueue(work.topic, { value }, onDelivery)) await producer.ready()
    }
    await producer.flush()
  },
  async send(producer, work, tally) {
    const sends: Promise<void>[] = []
    for (const value of values(work)) {
      sends.push(
        producer.send({ topic: work.topic, messages: [{ value }] }).then(
          () => void tally.delivered++,
          error => {
            tally.failed++
            tally.error ??= error.message
          },
        ),
      )
    }
    await Promise.all(sends)
  },
}

export const stoppedBroker = async (
  options: ClientOptions,
  work: StoppedBrokerWork,
  ask: AskHarness,
): Promise<StoppedBrokerResult> => {
  const producer = createOurs(options)
  await producer.connect()
  await producer.send({ topic: work.topic, messages: [{ value: Buffer.from('first') }] })
  await ask('pause')
  const tally: Tally = { delivered: 0, failed: 0, error: undefined }
  const residentBeforeBytes = process.memoryUsage.rss()
  const resident = watchResident()
  const offered = OFFER[work.offerBy](producer, work, tally).catch(error => {
    tally.failed = work.records - tally.delivered
    tally.error ??= String(error)
  })
  await sleep(work.stoppedMs)
  const residentStoppedBytes = resident.highest()
  await ask('resume')
  const start = performance.now()
  await offered
  const seconds = (performance.now() - start) / 1000
  resident.stop()
  await producer.disconnect()
  return {
    ...tally,
    residentBeforeBytes,
    residentStoppedBytes,
    residentPeakBytes: resident.highest(),
    seconds,
  }
}
