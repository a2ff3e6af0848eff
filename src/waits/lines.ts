import kafkajs from 'kafkajs'
import { place } from '../errors/bases.js'
import { isLoginTrouble } from '../errors/loginTrouble.js'
import { failureType } from '../metadata/retry/failure.js'
import { printable, quoted } from '../util/printable.js'
import type { Wait, WaitEnd, WaitKind, WaitSubject } from './wait.js'

/** How many topics or brokers a line names. */
const NAMED = 5

export interface Line {
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

/** A broker that cannot be reached, or that is silent, is one trouble, whichever of its phases it is in. */
const BROKER_KINDS: ReadonlySet<WaitKind> = new Set<WaitKind>(['connection', 'authentication', 'answer'])

/** What shares its log lines: a kind, and among retries the error. */
export const familyOf = ({ kind, error }: Wait): string => {
  if (kind === 'retry') return `retry ${error === undefined ? '' : failureType(error)}`
  return BROKER_KINDS.has(kind) ? 'broker' : kind
}

export const kindOfFamily = (family: string): string => family.split(' ', 1)[0]!

/** How waits ended; `moved`: they go on for another cause. */
export type Ends = Record<WaitEnd | 'moved', number>
export const noEnds = (): Ends => ({ over: 0, 'given-up': 0, moved: 0 })

/** A subject in a sentence, as the errors name it. */
const subjectText = ({ topic, partition, broker, coordinator }: WaitSubject): string => {
  if (topic !== undefined) return place(topic, partition)
  if (coordinator !== undefined) return `the coordinator of the ${coordinator}`
  return broker === undefined ? 'the brokers' : `broker ${broker}`
}

const name = ({ topic, partition, broker, coordinator }: WaitSubject): string => {
  if (topic !== undefined) return partition === undefined ? quoted(topic) : `${quoted(topic)}[${partition}]`
  return coordinator ?? (broker === undefined ? 'seed brokers' : String(broker))
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

const records = (count: number): string => (count === 1 ? '1 record' : `${count} records`)

/** "topic "a"", or "500 topics ("a", "b", "c", "d", "e" and 495 more)". */
const several = (waits: readonly Wait[]): string => {
  const [first] = waits
  if (waits.length === 1) return subjectText(first!.subject)
  const { topic, partition, coordinator } = first!.subject
  const what =
    topic !== undefined
      ? partition === undefined
        ? 'topics'
        : 'partitions'
      : coordinator === undefined
        ? 'brokers'
        : 'coordinators'
  const named = waits.slice(0, NAMED).map(({ subject }) => name(subject))
  const more = waits.length > NAMED ? ` and ${waits.length - NAMED} more` : ''
  return `${waits.length} ${what} (${named.join(', ')}${more})`
}

type Head = (waits: readonly Wait[], reason: string | undefined) => string

const HEADS: Readonly<Record<WaitKind, Head>> = {
  topic: waits => `Still waiting for ${several(waits)} to become available`,
  leader: waits => `Still waiting for a leader of ${several(waits)}`,
  connection: waits => `Still waiting for a connection to ${several(waits)}`,
  authentication: waits => `Still waiting to log in at ${several(waits)}`,
  answer: waits => `Still waiting for an answer of ${several(waits)}`,
  retry: (waits, reason) => `Still retrying ${several(waits)} after ${reason ?? 'errors'}`,
  quota: waits => `Still held back by a quota of ${several(waits)}`,
  buffer: () => 'Calls still wait for buffer space',
  producer_id: () => 'Still waiting for a producer id',
  coordinator: waits => `Still waiting for ${several(waits)}`,
}

const REMEDIES: Readonly<Record<WaitKind, string>> = {
  topic:
    "Create it beforehand, or look at the topic policy (topics), the brokers' auto.create.topics.enable and the cluster's controller.",
  leader:
    'Start the brokers that hold its replicas (kafka-topics --describe --unavailable-partitions lists them).',
  connection:
    'Check that the broker runs, and that this host can resolve and reach the address in its advertised.listeners.',
  authentication: 'Check the credentials (sasl) and the token provider.',
  answer: 'Check whether the broker is stopped, overloaded or cut off by the network.',
  retry: "Look at the broker's log.",
  quota: "Raise the client's quota (producer_byte_rate, request_percentage), or send less.",
  buffer: 'Send more slowly (await send, or ready() after enqueue), or raise bufferBytes.',
  producer_id: 'Look at the brokers, or set idempotent: false.',
  coordinator: "Look at the broker's log, and at the replicas of the coordinator's internal topic.",
}

const RETRY_REMEDIES: Readonly<Record<string, string>> = {
  NOT_ENOUGH_REPLICAS: "Start the brokers of the missing replicas, or lower the topic's min.insync.replicas.",
  NOT_ENOUGH_REPLICAS_AFTER_APPEND:
    "Start the brokers of the missing replicas, or lower the topic's min.insync.replicas.",
  REQUEST_TIMED_OUT: 'Look at the replicas of the partition: they answer the leader too slowly.',
  KAFKA_STORAGE_ERROR: "Look at the broker's disks.",
  UNKNOWN_TOPIC_OR_PARTITION: 'Look at whether the topic was deleted.',
}

/** No broker's advertised address has been met yet. */
const SEEDS_REMEDY =
  'Check that the brokers run, and that this host can resolve and reach the addresses in `brokers`.'

/** What somebody can do about a wait. */
export const remedyOf = ({ kind, error, subject }: Wait): string => {
  if (kind === 'retry' && error !== undefined) return RETRY_REMEDIES[failureType(error)] ?? REMEDIES.retry
  if (kind !== 'connection') return REMEDIES[kind]
  if (isLoginTrouble(error)) return REMEDIES.authentication
  return subject.broker === undefined ? SEEDS_REMEDY : REMEDIES.connection
}

/** Why the wait goes on, in the words of the last error; undefined where none was met. */
export const reasonOf = ({ error }: Wait): string | undefined =>
  error === undefined ? undefined : printable(error.message).replace(/\.$/, '')

const waitingRecords = (waits: readonly Wait[]): number =>
  waits.reduce((sum, { waiters }) => sum + waiters.waitingRecords, 0)

/** Waits for buffer space have their reason in the other waits. */
const behind = (kind: WaitKind, other: Wait | undefined): string =>
  kind !== 'buffer' || other === undefined
    ? ''
    : ` The buffer is held by records that wait for ${subjectText(other.subject)}.`

/**
 * The WARN for waits of one family.
 *
 * @param other the oldest wait that is not for buffer space
 * @param now ms on the registry's clock
 */
export const describeWaits = (waits: readonly Wait[], other: Wait | undefined, now: number): Line => {
  const [first] = waits
  const { kind, error } = first!
  const waitedMs = now - first!.since
  const count = waitingRecords(waits)
  const held = count > 0 ? `, ${records(count)}` : ''
  const reason = reasonOf(first!)
  const one = subjectText(first!.subject)
  const whose = waits.length > 1 && reason !== undefined && !reason.includes(one) ? ` (${one})` : ''
  const head = HEADS[kind](waits, error && failureType(error))
  return {
    message: `${head} (${seconds(waitedMs)} so far${held})${reason === undefined ? '.' : `: ${reason}${whose}.`}${behind(kind, other)} ${first!.likelyCause ?? remedyOf(first!)}`,
    details: {
      waitingFor: kind,
      ...subjectDetails(waits),
      waitedMs: Math.round(waitedMs),
      records: count,
      ...(error === undefined ? {} : { error: failureType(error) }),
    },
  }
}

/** Fields that a log's reader can filter by. Bounded. */
const subjectDetails = (waits: readonly Wait[]): Readonly<Record<string, unknown>> =>
  waits.length === 1
    ? { ...waits[0]!.subject }
    : { subjects: waits.slice(0, NAMED).map(({ subject }) => subject), count: waits.length }

const OVER: Readonly<Record<WaitKind, string>> = {
  topic: 'available',
  leader: 'led again',
  connection: 'answering again',
  authentication: 'answering again',
  answer: 'answering again',
  retry: 'accepting records again',
  quota: 'free of the quota again',
  buffer: 'served',
  producer_id: 'obtained',
  coordinator: 'answering',
}

const ENDED: Readonly<Record<WaitKind, string>> = {
  topic: 'topics',
  leader: 'partitions without a leader',
  connection: 'brokers',
  authentication: 'brokers',
  answer: 'brokers',
  retry: 'partitions to retry',
  quota: 'quotas',
  buffer: 'buffer space',
  producer_id: 'a producer id',
  coordinator: 'coordinators',
}

/** The INFO when the last of the waits that a WARN told of has ended. */
export const describeEnd = (last: Wait, kind: WaitKind, ends: Readonly<Ends>, waitedMs: number): Line => {
  const total = ends.over + ends['given-up'] + ends.moved
  const count = (of: number, text: string): string => (total === 1 ? text : `${of} ${text}`)
  const results = [
    ends.over > 0 ? count(ends.over, OVER[kind]) : '',
    ends['given-up'] > 0 ? count(ends['given-up'], 'given up') : '',
    ends.moved > 0 ? count(ends.moved, 'waiting for something else now') : '',
  ].filter(each => each !== '')
  const what = total === 1 && isNamed(last.subject) ? subjectText(last.subject) : ENDED[kind]
  return {
    message: `The wait for ${what} ended after ${seconds(waitedMs)}: ${results.join(', ')}.`,
    details: {
      waitingFor: kind,
      ...(total === 1 ? last.subject : { count: total }),
      waitedMs: Math.round(waitedMs),
    },
  }
}

/** What a wait of which no error is known is for, as an error. @param now ms on the registry's clock */
export const errorOf = (wait: Wait, now: number): Error =>
  wait.error ??
  new kafkajs.KafkaJSError(`${HEADS[wait.kind]([wait], undefined)} (${seconds(now - wait.since)} so far)`)

const isNamed = ({ topic, broker, coordinator }: WaitSubject): boolean =>
  (topic ?? broker ?? coordinator) !== undefined
