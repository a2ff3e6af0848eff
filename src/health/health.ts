import type { BrokerStatus } from '../delivery/brokers/brokerStatus.js'
import { messageOf } from '../errors/bases.js'
import type { MetadataFailure } from '../metadata/requests/refresher.js'
import type { BrokerAddress } from '../transport/port.js'
import { printable } from '../util/printable.js'
import { describeWaits, reasonOf, remedyOf } from '../waits/lines.js'
import type { WaitRegistry } from '../waits/registry.js'
import type { Wait, WaitKind } from '../waits/wait.js'
import { WARN_AFTER_MS } from '../waits/waitLog.js'

/** Where a producer is between `connect` and `disconnect`. */
export type ProducerStatus = 'disconnected' | 'connecting' | 'connected' | 'disconnecting'

/**
 * How a broker serves produce requests: `connected` answers; `idle` has no connection, and nothing needs one; `unreachable`
 * cannot be connected to; `refusing` refuses the login, or a login goes on for long; `silent` is connected and does not answer.
 */
export type BrokerState = 'connected' | 'idle' | 'unreachable' | 'refusing' | 'silent'

/** One broker as the producer sees it. */
export interface BrokerHealth {
  /** Node id. */
  readonly broker: number
  /** Absent where the newest metadata does not name the broker any more. */
  readonly host?: string
  /** Absent with `host`. */
  readonly port?: number
  /** How it serves produce requests. */
  readonly state: BrokerState
  /** How long it has not answered, in ms; absent while it answers, or while nothing is asked of it. */
  readonly forMs?: number
  /** How long ago it last answered a produce request, in ms; absent where it never did. */
  readonly answeredMsAgo?: number
  /** Why it cannot be used, in the words of the last error. */
  readonly reason?: string
}

/** One ongoing wait: what records, calls or requests wait for, and why. */
export interface WaitHealth {
  /** What is waited for; the values of the metric `records_waiting`. */
  readonly for: WaitKind
  /** The topic that it is about, where it is about one. */
  readonly topic?: string
  /** The partition that it is about, where it is about one. */
  readonly partition?: number
  /** The broker's node id, where the wait is for one. */
  readonly broker?: number
  /** Where a coordinator is waited for: `transaction "id"` or `group "id"`. */
  readonly coordinator?: string
  /** How long it has lasted, in ms. */
  readonly waitedMs: number
  /** How many records wait. */
  readonly records: number
  /** Why, in the words of the last error; absent where none was met. */
  readonly reason?: string
  /** What to do about it. */
  readonly remedy: string
}

/** What a producer knows of itself and its brokers. Plain data: it can be given to `JSON.stringify`. */
export interface ProducerHealth {
  /** Where the producer is between `connect` and `disconnect`. */
  readonly status: ProducerStatus
  /** True when it is connected, a broker answers, and nothing has been waited for longer than 5 s. */
  readonly healthy: boolean
  /** Whether the last metadata request was answered; false before the first answer. */
  readonly brokersAnswer: boolean
  /** How long no broker has answered metadata requests, in ms; absent while one does. */
  readonly notAnsweringForMs?: number
  /** Why no broker answers. */
  readonly notAnsweringReason?: string
  /** What has been waited for longer than 5 s, in the words of the log's warnings; at most 100. */
  readonly problems: readonly string[]
  /** The brokers of the newest metadata, and others that records wait for; at most 100. */
  readonly brokers: readonly BrokerHealth[]
  /** The ongoing waits, the longest first; at most 100. */
  readonly waits: readonly WaitHealth[]
  /** How many waits there are. */
  readonly waitCount: number
  /** Records that are neither acknowledged nor failed, their size in bytes, and the option `bufferBytes`. */
  readonly buffer: { readonly records: number; readonly bytes: number; readonly limitBytes: number }
  /** The age of the oldest of them, in ms; 0 where there is none. */
  readonly oldestRecordMs: number
}

/** What is asked; undefined without a session. */
export interface HealthSource {
  readonly brokers: readonly BrokerAddress[]
  readonly statuses: readonly BrokerStatus[]
  readonly answeredAt: number | undefined
  readonly failure: MetadataFailure | undefined
  readonly buffer: ProducerHealth['buffer']
  readonly oldestRecordMs: number
}

/** No list in a report grows beyond this. */
const MOST = 100

const NOTHING_BUFFERED = { records: 0, bytes: 0, limitBytes: 0 }

/** Reads what is known. Asks nobody, and changes nothing. */
export const healthOf = (
  status: ProducerStatus,
  waits: WaitRegistry,
  source: HealthSource | undefined,
): ProducerHealth => {
  const now = waits.clock.now()
  const ongoing = longest(waits)
  const problems = ongoing
    .filter(({ since }) => now - since >= WARN_AFTER_MS)
    .map(wait => describeWaits([wait], waits.oldestOther, now).message)
  const brokersAnswer = source?.answeredAt !== undefined && source.failure === undefined
  return {
    status,
    healthy: status === 'connected' && brokersAnswer && problems.length === 0,
    brokersAnswer,
    ...(source?.failure && {
      notAnsweringForMs: Math.round(now - source.failure.since),
      notAnsweringReason: printable(messageOf(source.failure.error)),
    }),
    problems,
    brokers: source === undefined ? [] : brokersOf(source, now),
    waits: ongoing.map(wait => waitHealth(wait, now)),
    waitCount: waits.size,
    buffer: source?.buffer ?? NOTHING_BUFFERED,
    oldestRecordMs: Math.round(source?.oldestRecordMs ?? 0),
  }
}

/** They stand in the order in which they began: the first ones are the longest. */
const longest = (waits: WaitRegistry): readonly Wait[] => {
  const first: Wait[] = []
  for (const wait of waits.all) {
    if (first.length === MOST) break
    first.push(wait)
  }
  return first.sort((a, b) => a.since - b.since)
}

const waitHealth = (wait: Wait, now: number): WaitHealth => {
  const reason = reasonOf(wait)
  return {
    for: wait.kind,
    ...wait.subject,
    waitedMs: Math.round(now - wait.since),
    records: wait.waiters.waitingRecords,
    ...(reason !== undefined && { reason }),
    remedy: wait.likelyCause ?? remedyOf(wait),
  }
}

const STATES: Readonly<Partial<Record<WaitKind, BrokerState>>> = {
  connection: 'unreachable',
  authentication: 'refusing',
  answer: 'silent',
}

const brokersOf = ({ brokers, statuses }: HealthSource, now: number): readonly BrokerHealth[] => {
  const troubles = new Map<number, Wait>()
  for (const { nodeId, trouble } of statuses) if (trouble !== undefined) troubles.set(nodeId, trouble)
  const byNode = new Map<number, BrokerStatus>()
  for (const each of statuses) if (!byNode.get(each.nodeId)?.isConnected) byNode.set(each.nodeId, each)
  const named = new Set(brokers.map(({ nodeId }) => nodeId))
  const gone = [...troubles.keys()].filter(nodeId => !named.has(nodeId)).map(nodeId => ({ nodeId }))
  const all: readonly (Pick<BrokerAddress, 'nodeId'> & Partial<BrokerAddress>)[] = [...brokers, ...gone]
  return all.slice(0, MOST).map(({ nodeId, host, port }) => {
    const trouble = troubles.get(nodeId)
    const status = byNode.get(nodeId)
    const reason = trouble && reasonOf(trouble)
    return {
      broker: nodeId,
      ...(host !== undefined && { host: printable(host) }),
      ...(port !== undefined && { port }),
      state: (trouble && STATES[trouble.kind]) ?? (status?.isConnected ? 'connected' : 'idle'),
      ...(trouble && { forMs: Math.round(now - trouble.since) }),
      ...(status?.answeredAt !== undefined && { answeredMsAgo: Math.round(now - status.answeredAt) }),
      ...(reason !== undefined && { reason }),
    }
  })
}
