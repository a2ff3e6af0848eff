import type { Logger } from 'kafkajs'
import { type Backoff, backoffMs } from '../../../delivery/backoff.js'
import type { DeliveryEngine } from '../../../delivery/engine.js'
import { messageOf } from '../../../errors/bases.js'
import { asError } from '../../../util/realms.js'
import type { Coordinators, Patience } from './coordinators.js'
import { markEpoch } from './epochMarkers.js'
import { pause } from './pause.js'
import type { TransactionalIdentity } from './transactionalIdentity.js'
import { isFatal } from './verdicts.js'

const RENEWAL: Backoff = { minMs: 50, maxMs: 1000, factor: 2 }

export interface EpochRenewalParts {
  readonly transactionalId: string
  readonly coordinators: Coordinators
  readonly identity: TransactionalIdentity
  readonly patience: Patience
  readonly logger: Logger
  readonly random: () => number
}

/** Gets the producer another epoch where the end of a transaction has made that necessary. */
export class EpochRenewal {
  private readonly parts: EpochRenewalParts
  /** Why there is none yet: the next transaction has to begin with it. Undefined: none is needed. */
  owed: Error | undefined

  constructor(parts: EpochRenewalParts) {
    this.parts = parts
  }

  /**
   * Retries what is not fatal within its patience; after that it is owed.
   *
   * @param engine begins anew in the new epoch
   * @throws what is fatal to the producer
   */
  async run(engine: DeliveryEngine): Promise<void> {
    const { patience, logger, random } = this.parts
    const startedAt = performance.now()
    for (let failures = 1; ; failures++) {
      try {
        await this.renew(engine)
        this.owed = undefined
        return
      } catch (error) {
        logger.debug('There is no other epoch for transactions yet', { failures, error: messageOf(error) })
        if (isFatal(error) || patience.signal.aborted) throw error
        this.owed = asError(error)
      }
      const delayMs = backoffMs(RENEWAL, failures, random())
      if (performance.now() + delayMs - startedAt >= patience.timeoutMs) return
      await pause(delayMs, patience.signal)
    }
  }

  private async renew(engine: DeliveryEngine): Promise<void> {
    const { identity, coordinators, patience } = this.parts
    const { unsettled } = engine
    await identity.acquire(patience)
    coordinators.hasUnanswered = false
    // What was answered cannot come later.
    const doubtful = unsettled.filter(({ producerState }) => producerState.isUnresolved)
    if (doubtful.length > 0) await markEpoch(doubtful, { ...this.parts, closing: patience.signal })
    if (coordinators.hasUnanswered) await identity.acquire(patience)
    coordinators.hasUnanswered = false
    engine.restart()
  }
}
