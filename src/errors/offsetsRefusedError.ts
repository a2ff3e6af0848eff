import { ERROR, type ErrorCode } from '../protocol/errorCodes.js'
import { quoted } from '../util/printable.js'
import { BrokerVerdictError, type ErrorContext, place } from './bases.js'

/**
 * The group's coordinator refused the offsets of `sendOffsets`: the group has rebalanced, a right is missing, or there is no such partition.
 * (TxnOffsetCommit; KIP-98, KIP-447)
 */
export class OffsetsRefusedError extends BrokerVerdictError {
  static override readonly name: string = 'OffsetsRefusedError'

  constructor(groupId: string, { verdict, ...context }: ErrorContext & { readonly verdict: ErrorCode }) {
    const where = context.topic === undefined ? '' : ` for ${place(context.topic, context.partition)}`
    super(
      `The group ${quoted(groupId)} does not take the offset${where} (${verdict.type}: ${verdict.message}). ` +
        (verdict.code === ERROR.UNKNOWN_TOPIC_OR_PARTITION
          ? 'Look at its name and partition: offsets can be committed for what exists. Abort the transaction.'
          : 'Abort the transaction, and go on from the offsets that the group has committed.'),
      verdict,
      context,
    )
  }
}
