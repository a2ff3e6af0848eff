import { attemptsText, type ErrorContext, messageOf, place, SpentBudgetError } from './bases.js'

/** A topic did not become available within `metadataRetry`; `cause` is the last answer. */
export class MetadataRetriesExceededError extends SpentBudgetError {
  static override readonly name: string = 'MetadataRetriesExceededError'

  constructor(
    topic: string,
    context: ErrorContext & { attempts: number; elapsedMs: number; cause: unknown },
    likelyCause?: string,
  ) {
    super(
      `The ${place(topic)} did not become available in ${attemptsText(context.attempts)} over ${Math.round(context.elapsedMs)} ms ` +
        `(last: ${messageOf(context.cause)}). ${likelyCause === undefined ? '' : `${likelyCause} Otherwise: `}` +
        `Create it beforehand, or raise metadataRetry.retries / metadataRetry.maxRetryTimeMs.`,
      { ...context, topic, outcome: context.outcome ?? 'not-written' },
    )
  }
}
