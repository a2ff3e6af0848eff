import { quoted } from '../util/printable.js'
import { attemptsText, type ErrorContext, messageOf, type Outcome, SpentBudgetError } from './bases.js'

export interface CoordinatorTimeoutContext extends ErrorContext {
  /** The request's name in Kafka's protocol. */
  readonly request: string
  readonly attempts: number
  readonly elapsedMs: number
  /** The option that bounded the attempts. */
  readonly bound: string
  /** `unknown`: a request was sent and not answered, so that the coordinator may have acted on it. */
  readonly outcome: Outcome
}

/**
 * The coordinator of a transaction or a group did not serve a request within `deliveryTimeoutMs` (`connect()`: `metadataRetry.maxRetryTimeMs`);
 * `cause` is what the last attempt met. (FindCoordinator, KIP-98)
 */
export class CoordinatorTimeoutError extends SpentBudgetError {
  static override readonly name: string = 'CoordinatorTimeoutError'

  /** @param key - the transactional id or the group id */
  constructor(key: string, { request, bound, ...context }: CoordinatorTimeoutContext) {
    const { attempts, elapsedMs, cause, outcome } = context
    super(
      `${request} for ${quoted(key)} did not succeed in ${attemptsText(attempts)} over ${Math.round(elapsedMs)} ms ` +
        `(last: ${messageOf(cause)}). ` +
        (outcome === 'unknown' ? 'The coordinator may have acted on it all the same. ' : '') +
        `Look at the brokers, or raise ${bound}.`,
      context,
    )
  }
}
