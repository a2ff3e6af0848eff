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

interface Subject {
  /** The latest ones, the first of them first. */
  readonly waits: Waited[]
  ongoing: number
}

/** What the records of one producer waited for of late, by what the wait was about. */
export class WaitHistory implements WaitListener {
  readonly #bySubject = new Map<string, Subject>()
  /** Keys of subjects with no ongoing wait: the first one is the one that has had none for longest. */
  readonly #ended = new Set<string>()
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
    if (waited.kind === wait.kind) {
      waited.error = errorOf(wait)
      return
    }
    this.#end(wait, waited)
    this.#begin(wait, waited.to)
  }

  ended(wait: Wait): void {
    const waited = this.#ongoing.get(wait)
    if (waited === undefined) return
    waited.error = errorOf(wait)
    this.#end(wait, waited)
    if (this.#ended.size > MOST_SUBJECTS) this.#forget()
  }

  /** The latest waits about one subject. */
  of(subject: WaitSubject): readonly Waited[] {
    return this.#bySubject.get(keyOf(subject))?.waits ?? []
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
    const its = this.#bySubject.get(key) ?? { waits: [], ongoing: 0 }
    its.waits.push(waited)
    if (its.waits.length > MOST_PER_SUBJECT) its.waits.shift()
    its.ongoing++
    this.#bySubject.set(key, its)
    this.#ended.delete(key)
  }

  #end(wait: Wait, waited: Waited): void {
    waited.to = performance.now()
    this.#ongoing.delete(wait)
    const key = keyOf(wait.subject)
    const its = this.#bySubject.get(key)!
    if (--its.ongoing === 0) this.#ended.add(key)
  }

  /** Half of them at once: a Set from whose front one is taken each time is walked over what it has lost. */
  #forget(): void {
    for (const key of this.#ended) {
      this.#ended.delete(key)
      this.#bySubject.delete(key)
      if (this.#ended.size <= MOST_SUBJECTS / 2) return
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
