import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Sink } from '../clients/client.js'

/** A connected producer that has sent one record and now has nothing to do. */
export interface IdleWork {
  readonly kind: 'idle'
  readonly topic: string
  readonly seconds: number
}

export interface IdleResult {
  readonly cpuSeconds: number
}

const SETTLE_MS = 3000
const silent: Sink = { onDelivered: () => undefined, onFailed: () => undefined }

export const idle = async (
  open: (sink: Sink) => Promise<Client>,
  { topic, seconds }: IdleWork,
): Promise<IdleResult> => {
  const client = await open(silent)
  await client.connect()
  await client.send(topic, { key: undefined, value: Buffer.from('one'), headers: undefined })
  await sleep(SETTLE_MS)
  const before = process.cpuUsage()
  await sleep(seconds * 1000)
  const { user, system } = process.cpuUsage(before)
  await client.close()
  return { cpuSeconds: (user + system) / 1e6 }
}
