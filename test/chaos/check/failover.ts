import { type LedgerData, STATE } from '../load/ledger.js'
import type { StoredLog } from './storedLog.js'

/** A leader was killed or frozen. */
export interface LeaderLoss {
  /** ms since 1970 */
  readonly at: number
  readonly node: number
  readonly how: 'killed' | 'paused'
  /** What it led at that moment, and under which epoch. */
  readonly partitions: readonly {
    readonly topic: string
    readonly partition: number
    readonly leaderEpoch: number
  }[]
}

/** How long partitions took from the loss of their leader to the first record that its successor acknowledged. ms */
export interface Failover {
  readonly loss: LeaderLoss
  /** One per partition that got a successor and records for it, in ascending order. */
  readonly delaysMs: readonly number[]
}

/**
 * The successor's first record is known by the leader epoch in its batch: what the lost leader still acknowledged is
 * not taken for it.
 */
export const failoverOf = (
  loss: LeaderLoss,
  ledger: LedgerData,
  logs: ReadonlyMap<string, StoredLog>,
): Failover => {
  const delaysMs: number[] = []
  for (const { topic, partition, leaderEpoch } of loss.partitions) {
    const log = logs.get(placeOf(topic, partition))
    const row = log?.leaderEpochs.findIndex(epoch => epoch > leaderEpoch) ?? -1
    const number = log?.numbers[row]
    if (number === undefined || number < 0 || ledger.state[number] !== STATE.acknowledged) continue
    delaysMs.push(ledger.endedAt[number]! - loss.at)
  }
  return { loss, delaysMs: delaysMs.sort((a, b) => a - b) }
}

export const placeOf = (topic: string, partition: number): string => `${topic}/${partition}`

export const byPlace = (logs: readonly StoredLog[]): ReadonlyMap<string, StoredLog> =>
  new Map(logs.map(log => [placeOf(log.topic, log.partition), log]))
