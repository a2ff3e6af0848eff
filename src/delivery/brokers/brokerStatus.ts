import { isLoginTrouble } from '../../errors/loginTrouble.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Wait, Waiters } from '../../waits/wait.js'
import { BrokerWaits } from './brokerWaits.js'

export interface BrokerStatusParts {
  readonly nodeId: number
  readonly waits: WaitRegistry
  /** The records that wait for this broker while anything does. */
  readonly waiters: Waiters
  readonly observer: Pick<ProducerObserver, 'requestEnded' | 'requestLost' | 'throttled' | 'connectEnded'>
}

/** How one broker serves produce requests: told to the metrics and the waits, and read by `health()`. */
export class BrokerStatus {
  readonly nodeId: number
  /** When it answered last; undefined: never. ms on the clock of `performance.now()` */
  answeredAt: number | undefined
  isConnected = false
  private readonly observer: BrokerStatusParts['observer']
  private readonly waits: BrokerWaits
  private readonly clock: WaitRegistry['clock']

  constructor({ nodeId, waits, waiters, observer }: BrokerStatusParts) {
    this.nodeId = nodeId
    this.observer = observer
    this.clock = waits.clock
    this.waits = new BrokerWaits(nodeId, waits, waiters)
  }

  /** Whether records wait for the broker. */
  get isWaitedFor(): boolean {
    return this.waits.any
  }

  /** The wait for the broker itself, if there is one. */
  get trouble(): Wait | undefined {
    return this.waits.trouble
  }

  /** Why its records wait, as far as it is known. */
  get cause(): Error | undefined {
    return this.waits.cause
  }

  connected(): void {
    this.isConnected = true
    this.observer.connectEnded(this.nodeId, 'ok')
  }

  /**
   * An attempt to connect, or to log in again, goes on for this long: it may yet end well, but records wait for it.
   *
   * @param pending what it waits for
   */
  connecting(forMs: number, pending: Error | undefined): void {
    this.waits.note(kindOf(pending), pending, this.clock.now() - forMs)
  }

  /** An attempt to connect, or to log in again, failed. */
  notConnected(error: Error): void {
    this.observer.connectEnded(this.nodeId, isLoginTrouble(error) ? 'authentication_failed' : 'failed')
    this.waits.note(kindOf(error), error)
  }

  disconnected(): void {
    this.isConnected = false
  }

  /** A request ended without an answer. */
  requestLost(error: Error): void {
    this.observer.requestLost(this.nodeId)
    this.waits.note(kindOf(error), error)
  }

  /** A request has not been answered for this long. */
  silent(silentMs: number): void {
    this.waits.note('answer', undefined, this.clock.now() - silentMs)
  }

  /** Records are held back by a quota. */
  held(forMs: number): void {
    this.waits.held(forMs)
  }

  answered(elapsedMs: number, now: number): void {
    this.answeredAt = now
    this.observer.requestEnded(this.nodeId, elapsedMs)
    this.waits.endTrouble('over')
  }

  /** With acks 0: nothing more will come, and the record waits no more. */
  written(): void {
    this.waits.endTrouble('over')
  }

  /** What the answer asks for. ms */
  throttled(throttleTimeMs: number): void {
    if (throttleTimeMs > 0) this.observer.throttled(this.nodeId, throttleTimeMs)
    else this.waits.endQuota()
  }

  /** Nothing waits for the broker any more. */
  abandoned(): void {
    this.waits.endTrouble('given-up')
    this.waits.endQuota()
  }
}

const kindOf = (error: Error | undefined) => (isLoginTrouble(error) ? 'authentication' : 'connection')
