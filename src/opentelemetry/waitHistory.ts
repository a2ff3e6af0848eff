import { failureType } from '../metadata/retry/failure.js'
import type { WaitListener, WaitRegistry } from '../waits/registry.js'
import type { Wait, WaitKind, WaitSubject } from '../waits/wait.js'

/** A wait for one reason. */
export interface Waited {
  readonly kind: WaitKind
  readonly subject: WaitSubject
  /** ms on the clock of `performance.now()` */
  readonly from: number
  /** Infinity: it goes on. ms */
  to: number
  /** Kafka's name of the last error, or its class. */
  error: string | undefined
}

/** The latest waits of one subject that are kept. */
const MOST_PER_SUBJECT = 8
/** Subjects with no ongoing wait of which waits are kept. */
const MOST_SUBJECTS = 1000

/** What the records of one producer waited for of late, by what the wait was about. */
export class WaitHistory implements WaitListener {
  readonly #bySubject = new Map<string, Waited[]>()
  readonly #ongoing = new Map<Wait, Waited>()

  constructor(registry: WaitRegistry) {
    for (const wait of registry.all) this.#begin(wait, wait.since)
    registry.listen(this)
  }

  began(wait: Wait): void {
    this.#begin(wait, wait.since)
  }

  changed(wait: Wait): void {
    const waited = this.#ongoing.get(wait)
    if (waited === undefined) return
    if (waited.kind !== wait.kind) {
      waited.to = performance.now()
      this.#begin(wait, waited.to)
    } else waited.error = errorOf(wait)
  }

  ended(wait: Wait): void {
    const waited = this.#ongoing.get(wait)
    if (waited === undefined) return
    waited.to = performance.now()
    waited.error = errorOf(wait)
    this.#ongoing.delete(wait)
    if (this.#bySubject.size > MOST_SUBJECTS) this.#forget()
  }

  /** The latest waits about one subject. */
  of(subject: WaitSubject): readonly Waited[] {
    return this.#bySubject.get(keyOf(subject)) ?? []
  }

  #begin(wait: Wait, from: number): void {
    const waited: Waited = {
      kind: wait.kind,
      subject: wait.subject,
      from,
      to: Infinity,
      error: errorOf(wait),
    }
    this.#ongoing.set(wait, waited)
    const key = keyOf(wait.subject)
    const its = this.#bySubject.get(key) ?? []
    its.push(waited)
    if (its.length > MOST_PER_SUBJECT) its.shift()
    // Behind the others: the first one is the one that had no wait for longest.
    this.#bySubject.delete(key)
    this.#bySubject.set(key, its)
  }

  #forget(): void {
    for (const [key, its] of this.#bySubject) {
      if (its.every(({ to }) => to !== Infinity)) this.#bySubject.delete(key)
      if (this.#bySubject.size <= MOST_SUBJECTS / 2) return
    }
  }
}

const errorOf = ({ error }: Wait): string | undefined =>
  error === undefined ? undefined : failureType(error)

/** A producer has one transaction at a time: its coordinators need no names. */
const keyOf = ({ topic, partition, broker, coordinator }: WaitSubject): string => {
  if (coordinator !== undefined) return 'coordinator'
  if (topic !== undefined)
    return partition === undefined ? `topic ${topic}` : `partition ${partition} ${topic}`
  return broker === undefined ? 'producer' : `broker ${broker}`
}
