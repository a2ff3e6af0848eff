import { type ErrorContext, messageOf, SpentBudgetError } from './bases.js'

/** `connect()` found no broker that answered within `metadataRetry`; `cause` is the last failure. */
export class BrokersUnreachableError extends SpentBudgetError {
  constructor(what: string, context: ErrorContext & { attempts: number; elapsedMs: number; cause: unknown }) {
    super(
      `${what} in ${context.attempts} attempts over ${Math.round(context.elapsedMs)} ms (last: ${messageOf(context.cause)}). ` +
        'Look at the addresses in `brokers` and at the brokers, or raise metadataRetry.retries / metadataRetry.maxRetryTimeMs.',
      context,
    )
  }
}
