import {
  attemptsText,
  causesText,
  type ErrorContext,
  type Outcome,
  place,
  SpentBudgetError,
} from './bases.js'

/**
 * The record was not acknowledged within `deliveryTimeoutMs`; the message says what it was waiting for, `cause` is what the last attempt met.
 * (KIP-91)
 */
export class DeliveryTimeoutError extends SpentBudgetError {
  static override readonly name: string = 'DeliveryTimeoutError'

  constructor(
    topic: string,
    context: ErrorContext & {
      deliveryTimeoutMs: number
      outcome: Outcome
      waitingFor: string
      firstCause?: unknown
    },
  ) {
    const { deliveryTimeoutMs, waitingFor, firstCause, ...rest } = context
    super(
      `A record for ${place(topic, rest.partition)} was not delivered within deliveryTimeoutMs (${deliveryTimeoutMs} ms, ` +
        `${attemptsText(rest.attempts ?? 0)}), waiting for ${waitingFor}.${causesText(firstCause, rest.cause)} ` +
        (rest.outcome === 'unknown' ? 'It may have been written.' : 'It was not written.') +
        ' Look at the brokers, or raise deliveryTimeoutMs.',
      { ...rest, topic, elapsedMs: deliveryTimeoutMs },
    )
  }
}
