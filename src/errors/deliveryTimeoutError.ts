import {
  attemptsText,
  causesText,
  type ErrorContext,
  type Outcome,
  place,
  SpentBudgetError,
} from './bases.js'

/** `deliveryTimeoutMs` ran out before the record was acknowledged. */
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
