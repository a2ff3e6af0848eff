import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ClientOptions } from '../clients/client.js'
import { createOurs } from '../clients/ours.js'
import type { AskHarness } from './stoppedBroker.js'

/** Sends with a time limit each, all given up while the broker says nothing. */
export interface AbortsWork {
  readonly kind: 'aborts'
  readonly topic: string
  readonly sends: number
  readonly valueBytes: number
}

export interface AbortsResult {
  /** CPU from the first abort to the last rejection, per send, less what the bare signals take. us */
  readonly cpuMicrosPerAbort: number
  /** How late a timer fires at the most meanwhile. ms */
  readonly longestStallMs: number
  readonly aborted: number
  /** Records that ended in another way. */
  readonly others: number
  /** External memory after the last abort, and collections, beyond that before the first send. bytes */
  readonly keptBytes: number
}

/** Beyond the time that the sends take themselves. ms */
const PATIENCE_MS = 1_000
const PER_TURN = 500

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

const collect = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) {
    gc()
    await sleep(20)
  }
}

/** As time limits fire: some hundred in a turn of the event loop. */
const abortAll = async (controllers: readonly AbortController[]): Promise<void> => {
  for (let i = 0; i < controllers.length; i += PER_TURN) {
    for (const controller of controllers.slice(i, i + PER_TURN)) controller.abort()
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** What as many signals with a listener each cost by themselves. us */
const bareSignals = async (sends: number): Promise<number> => {
  let fired = 0
  const controllers = Array.from({ length: sends }, () => new AbortController())
  for (const { signal } of controllers) signal.addEventListener('abort', () => fired++)
  const before = process.cpuUsage()
  await abortAll(controllers)
  const { user, system } = process.cpuUsage(before)
  if (fired !== sends) throw new Error(`${fired} of ${sends} signals fired`)
  return user + system
}

export const aborts = async (
  options: ClientOptions,
  { topic, sends, valueBytes }: AbortsWork,
  ask: AskHarness,
): Promise<AbortsResult> => {
  const bare = await bareSignals(sends)
  const producer = createOurs(options)
  await producer.connect()
  const value = Buffer.alloc(valueBytes, 'v')
  await producer.send({ topic, messages: [{ value }] })
  await ask('pause')
  await collect()
  const externalBefore = process.memoryUsage().arrayBuffers
  let aborted = 0
  let others = 0
  const controllers = Array.from({ length: sends }, () => new AbortController())
  const all = controllers.map(({ signal }) =>
    producer.send({ topic, messages: [{ value }], signal }).then(
      () => void others++,
      error => void (error.name === 'SendAbortedError' ? aborted++ : others++),
    ),
  )
  await sleep(PATIENCE_MS)
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  histogram.enable()
  const before = process.cpuUsage()
  await abortAll(controllers)
  // One request is with the broker: its records end when it answers.
  await ask('resume')
  await Promise.all(all)
  const { user, system } = process.cpuUsage(before)
  histogram.disable()
  await collect()
  const keptBytes = process.memoryUsage().arrayBuffers - externalBefore
  await producer.disconnect()
  return {
    cpuMicrosPerAbort: Math.max(0, user + system - bare) / sends,
    longestStallMs: Math.max(0, histogram.max / 1e6 - 1),
    aborted,
    others,
    keptBytes,
  }
}
