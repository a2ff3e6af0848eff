import { BrokerVerdictError } from '../../errors/bases.js'
import { withoutStack } from '../../errors/withoutStack.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import type { WaitRegistry } from '../../waits/registry.js'
import type { Wait, WaitEnd, Waiters, WaitKind } from '../../waits/wait.js'

/** The kinds of waits in which a broker is one trouble, in whichever phase. */
export type BrokerTrouble = Extract<WaitKind, 'connection' | 'authentication' | 'answer'>

/**
 * What the records for one broker wait for: the broker itself, while it cannot be reached or says nothing, or the end of a
 * throttle. A connection that opens ends no wait, for it may be of a broker that answers nothing: an answer does.
 */
export class BrokerWaits implements Waiters {
  private readonly nodeId: number
  private readonly registry: WaitRegistry
  private readonly waiters: Waiters
  /** The wait for the broker itself, if there is one. */
  trouble: Wait | undefined
  private quota: Wait | undefined

  /** @param waiters the records that wait for this broker while anything does */
  constructor(nodeId: number, registry: WaitRegistry, waiters: Waiters) {
    this.nodeId = nodeId
    this.registry = registry
    this.waiters = waiters
  }

  /** Whether anything waits. */
  get any(): boolean {
    return this.trouble !== undefined || this.quota !== undefined
  }

  /** Why its records wait: for the broker, or for the end of a throttle. */
  get cause(): Error | undefined {
    const wait = this.trouble ?? this.quota
    return wait && this.registry.causeOf(wait)
  }

  /** Those that a quota alone holds back. */
  get waitingRecords(): number {
    return this.trouble === undefined ? this.waiters.waitingRecords : 0
  }

  /** @param since default: now, where the trouble is new. ms on the registry's clock */
  note(kind: BrokerTrouble, error: Error | undefined, since?: number): void {
    const { registry, waiters, nodeId } = this
    if (this.trouble === undefined)
      this.trouble = registry.begin(kind, { broker: nodeId }, { error, since, waiters })
    else registry.change(this.trouble, kind, error)
  }

  /** Records are held back by a quota. */
  held(forMs: number): void {
    if (this.quota !== undefined) return
    const { registry, nodeId } = this
    const text = `broker ${nodeId} holds this client back for ${Math.ceil(forMs)} ms by a quota (throttle_time_ms)`
    const error = withoutStack(() => new BrokerVerdictError(text, errorCode(ERROR.THROTTLING_QUOTA_EXCEEDED)))
    this.quota = registry.begin('quota', { broker: nodeId }, { error, waiters: this })
  }

  endTrouble(how: WaitEnd): void {
    if (this.trouble === undefined) return
    this.registry.end(this.trouble, how)
    this.trouble = undefined
  }

  endQuota(): void {
    if (this.quota === undefined) return
    this.registry.end(this.quota, 'over')
    this.quota = undefined
  }
}
