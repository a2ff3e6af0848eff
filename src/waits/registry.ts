import { type Clock, systemClock } from '../logging/clock.js'
import { errorOf } from './lines.js'
import {
  type Explanation,
  nobody,
  Wait,
  type WaitEnd,
  type Waiters,
  type WaitKind,
  type WaitSubject,
} from './wait.js'

/** Learns of each wait. Must not throw. */
export interface WaitListener {
  began(wait: Wait): void
  /** Another kind, or another error. */
  changed(wait: Wait): void
  ended(wait: Wait, how: WaitEnd): void
}

export interface WaitDetails {
  /** The error that was met, or what knows the last one. */
  readonly error?: Error | Explanation | undefined
  /** Default: now. ms on the registry's clock */
  readonly since?: number | undefined
  readonly waiters?: Waiters | undefined
}

/**
 * The ongoing waits of one producer. Each stage says when a wait begins, why, and when it ends; logs, metrics, `health()`
 * and the diagnostics channel are told from here. Each step costs the same however much waits, and nothing is called
 * while nothing waits.
 */
export class WaitRegistry {
  readonly clock: Clock
  private readonly ongoing = new Set<Wait>()
  /** Those that are not for buffer space: there may be one for each partition of those that are. */
  private readonly others = new Set<Wait>()
  private readonly listeners: WaitListener[] = []

  constructor(clock: Clock = systemClock) {
    this.clock = clock
  }

  get all(): Iterable<Wait> {
    return this.ongoing
  }

  get size(): number {
    return this.ongoing.size
  }

  /** Why a wait goes on: the last error that was met, or one that says what is waited for. */
  causeOf(wait: Wait): Error {
    return errorOf(wait, this.clock.now())
  }

  /** The oldest wait that is not for buffer space: most likely what holds the buffer, though its records may be few. */
  get oldestOther(): Wait | undefined {
    const [oldest] = this.others
    return oldest
  }

  /** Why {@link oldestOther} goes on. */
  get bufferCause(): Error | undefined {
    return this.oldestOther && this.causeOf(this.oldestOther)
  }

  listen(listener: WaitListener): void {
    this.listeners.push(listener)
  }

  begin(kind: WaitKind, subject: WaitSubject, details: WaitDetails = {}): Wait {
    const { error, since = this.clock.now(), waiters = nobody } = details
    const wait = new Wait(kind, subject, waiters, since, error)
    this.ongoing.add(wait)
    if (kind !== 'buffer') this.others.add(wait)
    for (const listener of this.listeners) listener.began(wait)
    return wait
  }

  /** The same wait goes on for another reason, or met another error. It keeps its beginning. */
  change(wait: Wait, kind: WaitKind, error?: Error): void {
    if (!this.ongoing.has(wait) || (wait.kind === kind && error === undefined)) return
    wait.become(kind, error ?? wait.error)
    if (kind === 'buffer') this.others.delete(wait)
    else this.others.add(wait)
    for (const listener of this.listeners) listener.changed(wait)
  }

  end(wait: Wait, how: WaitEnd): void {
    if (!this.ongoing.delete(wait)) return
    this.others.delete(wait)
    for (const listener of this.listeners) listener.ended(wait, how)
  }
}
