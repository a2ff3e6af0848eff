import type { ErrorCode } from '../protocol/errorCodes.js'
import { BrokerVerdictError, type ErrorContext, place } from './bases.js'
import { quoted } from './printable.js'

/** The group's coordinator refused offsets of `sendOffsets`: the group has rebalanced, or its rights are missing. */
export class OffsetsRefusedError extends BrokerVerdictError {
  static override readonly name: string = 'OffsetsRefusedError'

  constructor(groupId: string, { verdict, ...context }: ErrorContext & { readonly verdict: ErrorCode }) {
    const where = context.topic === undefined ? '' : ` for ${place(context.topic, context.partition)}`
    super(
      `The group ${quoted(groupId)} does not take the offset${where} (${verdict.type}: ${verdict.message}). ` +
        'Abort the transaction, and go on from the offsets that the group has committed.',
      verdict,
      context,
    )
  }
}
