import {
  attemptsText,
  causesText,
  type ErrorContext,
  type Outcome,
  place,
  SpentBudgetError,
} from './bases.js'

/** The record's batch used up the attempts of the option `retry`; `cause` is what the last attempt met. */
export class DeliveryRetriesExceededError extends SpentBudgetError {
  static override readonly name: string = 'DeliveryRetriesExceededError'

  constructor(
    topic: string,
    context: ErrorContext & {
      partition: number
      attempts: number
      outcome: Outcome
      elapsedMs: number
      firstCause?: unknown
    },
  ) {
    const { firstCause, ...rest } = context
    super(
      `A record for ${place(topic, rest.partition)} was not delivered in ${attemptsText(rest.attempts)} (retry.retries).` +
        `${causesText(firstCause, rest.cause)} ` +
        (rest.outcome === 'unknown' ? 'It may have been written.' : 'It was not written.') +
        ' Check the brokers, or raise retry.retries.',
      { ...rest, topic },
    )
  }
}
