import { attemptsText, type ErrorContext, messageOf, SpentBudgetError } from './bases.js'

export interface ProducerIdContext extends ErrorContext {
  readonly attempts: number
  readonly elapsedMs: number
}

/**
 * The option `idempotent` is true, the brokers answer, and none of them gave a producer id within `metadataRetry`; `cause` is what the last
 * attempt met. (InitProducerId, KIP-98)
 */
export class ProducerIdUnavailableError extends SpentBudgetError {
  static override readonly name: string = 'ProducerIdUnavailableError'

  constructor({ attempts, elapsedMs, cause }: ProducerIdContext) {
    super(
      `No broker gave a producer id in ${attemptsText(attempts)} over ${Math.round(elapsedMs)} ms (last: ${messageOf(cause)}). ` +
        'Look at the brokers, raise metadataRetry.maxRetryTimeMs, or set idempotent: false to send without one.',
      { attempts, elapsedMs, cause },
    )
  }
}
