import kafkajs from 'kafkajs'
import { BrokerVerdictError } from '../../errors/bases.js'
import { withoutStack } from '../../errors/withoutStack.js'
import type { ProducerObserver } from '../../metrics/observer.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Wait, WaitEnd, Waiters, WaitKind } from '../../waits/wait.js'

export interface BrokerStatusParts {
  readonly nodeId: number
  readonly waits: WaitRegistry
  /** The records that wait for this broker while anything does. */
  readonly waiters: Waiters
  readonly observer: Pick<ProducerObserver, 'requestEnded' | 'requestLost' | 'throttled' | 'connectEnded'>
}

/**
 * How one broker serves produce requests, for metrics and health, and what the records for it wait for: the broker itself,
 * while it cannot be reached or says nothing, or the end of a throttle. A connection that opens ends no wait, for it may be
 * of a broker that answers nothing: an answer does.
 */
export class BrokerStatus implements Waiters {
  readonly nodeId: number
  private readonly parts: BrokerStatusParts
  private trouble: Wait | undefined
  private quota: Wait | undefined
  /** When it answered last; undefined: never. ms on the clock of `performance.now()` */
  answeredAt: number | undefined
  isConnected = false

  constructor(parts: BrokerStatusParts) {
    this.nodeId = parts.nodeId
    this.parts = parts
  }

  /** Whether anything waits. */
  get any(): boolean {
    return this.trouble !== undefined || this.quota !== undefined
  }

  /** Those that a quota alone holds back. */
  get waitingRecords(): number {
    return this.trouble === undefined ? this.parts.waiters.waitingRecords : 0
  }

  connected(): void {
    this.isConnected = true
    this.parts.observer.connectEnded(this.nodeId, 'ok')
  }

  /** An attempt to connect, or to log in again, failed. */
  notConnected(error: Error): void {
    const refused = isRefusal(error)
    this.parts.observer.connectEnded(this.nodeId, refused ? 'authentication_failed' : 'failed')
    this.note(refused ? 'authentication' : 'connection', error)
  }

  disconnected(): void {
    this.isConnected = false
  }

  /** A request ended without an answer. */
  requestLost(error: Error): void {
    this.parts.observer.requestLost(this.nodeId)
    this.note(isRefusal(error) ? 'authentication' : 'connection', error)
  }

  /** A request has not been answered for this long. */
  silent(silentMs: number): void {
    this.note('answer', undefined, this.parts.waits.clock.now() - silentMs)
  }

  /** Records are held back by a quota. */
  held(forMs: number): void {
    if (this.quota !== undefined) return
    const { nodeId, parts } = this
    const text = `broker ${nodeId} holds this client back for ${Math.ceil(forMs)} ms by a quota (throttle_time_ms)`
    const error = withoutStack(() => new BrokerVerdictError(text, errorCode(ERROR.THROTTLING_QUOTA_EXCEEDED)))
    this.quota = parts.waits.begin('quota', { broker: nodeId }, { error, waiters: this })
  }

  answered(elapsedMs: number, now: number): void {
    this.answeredAt = now
    this.parts.observer.requestEnded(this.nodeId, elapsedMs)
    if (this.trouble !== undefined) this.endTrouble('over')
  }

  /** With acks 0: nothing more will come, and the record waits no more. */
  written(): void {
    if (this.trouble !== undefined) this.endTrouble('over')
  }

  /** What the answer asks for. ms */
  throttled(throttleTimeMs: number): void {
    if (throttleTimeMs > 0) this.parts.observer.throttled(this.nodeId, throttleTimeMs)
    else if (this.quota !== undefined) this.endQuota('over')
  }

  /** Nothing waits for the broker any more. */
  abandoned(): void {
    this.endTrouble('given-up')
    this.endQuota('over')
  }

  private note(kind: WaitKind, error: Error | undefined, since?: number): void {
    const { nodeId, parts } = this
    const { waits, waiters } = parts
    if (this.trouble === undefined)
      this.trouble = waits.begin(kind, { broker: nodeId }, { error, since, waiters })
    else waits.change(this.trouble, kind, error)
  }

  private endTrouble(how: WaitEnd): void {
    if (this.trouble === undefined) return
    this.parts.waits.end(this.trouble, how)
    this.trouble = undefined
  }

  private endQuota(how: WaitEnd): void {
    if (this.quota === undefined) return
    this.parts.waits.end(this.quota, how)
    this.quota = undefined
  }
}

const isRefusal = (error: Error): boolean => error instanceof kafkajs.KafkaJSSASLAuthenticationError
