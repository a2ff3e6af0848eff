import { attemptsText, type ErrorContext, messageOf, SpentBudgetError } from './bases.js'
import { isLoginTrouble } from './loginTrouble.js'

export interface UnreachableContext extends ErrorContext {
  readonly attempts: number
  readonly elapsedMs: number
  /** The option that bounded the attempts. Default those of `metadataRetry`. */
  readonly bound?: string
}

const METADATA_RETRY = 'metadataRetry.retries / metadataRetry.maxRetryTimeMs'

/**
 * `connect()` found no broker that could be used within `metadataRetry`, or within its own `timeoutMs`; `cause` is the
 * last failure, or what the first attempt waits for.
 */
export class BrokersUnreachableError extends SpentBudgetError {
  static override readonly name: string = 'BrokersUnreachableError'

  constructor(what: string, { bound = METADATA_RETRY, ...context }: UnreachableContext) {
    const { attempts, elapsedMs, cause } = context
    const last = cause === undefined ? '' : ` (last: ${messageOf(cause)})`
    const remedy = isLoginTrouble(cause)
      ? 'Look at the credentials and the token provider in `sasl`'
      : 'Look at the addresses in `brokers` and at the brokers'
    super(
      `${what} in ${attemptsText(attempts)} over ${Math.round(elapsedMs)} ms${last}. ${remedy}, or raise ${bound}.`,
      context,
    )
  }
}
