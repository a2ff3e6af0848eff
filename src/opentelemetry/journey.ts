import type { Attributes, Span } from '@opentelemetry/api'
import type { CallWatch } from '../delivery/calls/callWatch.js'
import type { AttemptLog } from '../delivery/owners/attemptLog.js'
import type { WaitSubject } from '../waits/wait.js'
import type { Waited, WaitHistory } from './waitHistory.js'

const OWN = 'kafkajs_resilient_producer'
/** A span has at most so many events of these, the first ones. */
const MOST_EVENTS = 32
/** Shorter waits are the time that every step takes. ms */
const SHORTEST_WAIT_MS = 1

interface Happened {
  readonly name: 'retry' | 'wait'
  /** ms on the clock of `performance.now()` */
  readonly at: number
  readonly attributes: Attributes
}

/** Where one message was on its way, for its span. */
export class MessageJourney implements CallWatch {
  readonly #waits: WaitHistory
  readonly #topic: string
  readonly #startedAt = performance.now()
  #partition: number | undefined
  #placedAt: number | undefined
  #log: AttemptLog | undefined

  constructor(waits: WaitHistory, topic: string) {
    this.#waits = waits
    this.#topic = topic
  }

  /** The partition that was chosen for the message; undefined: none yet. */
  get partition(): number | undefined {
    return this.#partition
  }

  /** The message is in a batch of this partition. */
  placed(_topic: string, _index: number, partition: number): void {
    this.#partition = partition
    this.#placedAt = performance.now()
  }

  ended(_topic: string, _indexes: readonly number[], log: AttemptLog | undefined): void {
    this.#log = log
  }

  /** Tells the span of the attempts and of what was waited for, with the time of each. */
  tell(span: Span, hasFailed: boolean): void {
    // With acks 0 there is one attempt, and no log of it.
    const attempts = this.#log?.attempts ?? (hasFailed ? 0 : 1)
    span.setAttribute(`${OWN}.attempts`, attempts)
    const retries = this.#retries()
    const omitted = Math.max(0, attempts - 1 - retries.length)
    addEvents(span, [...retries, ...this.#waited()], omitted)
  }

  #retries(): readonly Happened[] {
    return (this.#log?.retries ?? []).map(({ attempt, reason, at, afterMs }) => ({
      name: 'retry',
      at,
      attributes: {
        ...placeOf({ topic: this.#topic, partition: this.#partition }),
        'error.type': reason,
        [`${OWN}.attempt`]: attempt,
        [`${OWN}.after_ms`]: Math.round(afterMs),
      },
    }))
  }

  #waited(): readonly Happened[] {
    const now = performance.now()
    const topic = this.#topic
    const partition = this.#partition
    const placedAt = this.#placedAt ?? now
    const during = (subject: WaitSubject, from: number, to: number) =>
      eventsOf(this.#waits.of(subject), from, to)
    return [
      ...during({}, this.#startedAt, now),
      ...during({ topic }, this.#startedAt, placedAt),
      ...(partition === undefined ? [] : during({ topic, partition }, placedAt, now)),
      ...[...(this.#log?.brokers ?? [])].flatMap(broker => during({ broker }, placedAt, now)),
    ]
  }
}

/** Tells a transaction's span what its coordinator and its producer id were waited for. @param startedAt ms on the clock of `performance.now()` */
export const tellTransaction = (span: Span, waits: WaitHistory, startedAt: number): void => {
  const now = performance.now()
  const its = [{ coordinator: '' }, {}].flatMap(subject => eventsOf(waits.of(subject), startedAt, now))
  addEvents(span, its, 0)
}

/** The waits that overlap with this time, each with its part of it. */
const eventsOf = (waits: readonly Waited[], from: number, to: number): readonly Happened[] =>
  waits
    .map(({ kind, subject, error, ...wait }) => {
      const at = Math.max(wait.from, from)
      const ms = Math.min(wait.to, to) - at
      const attributes = {
        ...placeOf(subject),
        ...(error !== undefined && { 'error.type': error }),
        [`${OWN}.wait.for`]: kind,
        [`${OWN}.wait.duration_ms`]: Math.round(ms),
      }
      return { ms, happened: { name: 'wait' as const, at, attributes } }
    })
    .filter(({ ms }) => ms >= SHORTEST_WAIT_MS)
    .map(({ happened }) => happened)

const placeOf = ({ topic, partition, broker }: WaitSubjectPart): Attributes => ({
  ...(topic !== undefined && { 'messaging.destination.name': topic }),
  ...(partition !== undefined && { 'messaging.destination.partition.id': String(partition) }),
  ...(broker !== undefined && { [`${OWN}.broker.id`]: broker }),
})

interface WaitSubjectPart {
  readonly topic?: string | undefined
  readonly partition?: number | undefined
  readonly broker?: number | undefined
}

const addEvents = (span: Span, happened: readonly Happened[], omitted: number): void => {
  const inOrder = [...happened].sort((a, b) => a.at - b.at)
  for (const { name, at, attributes } of inOrder.slice(0, MOST_EVENTS)) {
    span.addEvent(`${OWN}.${name}`, attributes, performance.timeOrigin + at)
  }
  const more = omitted + Math.max(0, inOrder.length - MOST_EVENTS)
  if (more > 0) span.setAttribute(`${OWN}.omitted_events`, more)
}
