import { ERROR } from '../../../protocol/errorCodes.js'
import { endTxnApi } from '../../../protocol/messages/endTxn.js'
import type { Coordinators, Patience } from './coordinators.js'
import type { TransactionalIdentity } from './transactionalIdentity.js'
import { refusalOf } from './verdicts.js'

export interface TransactionEnd {
  readonly transactionalId: string
  readonly coordinators: Coordinators
  readonly identity: Pick<TransactionalIdentity, 'current'>
  readonly patience: Patience
}

/** Commits or aborts the open transaction at its coordinator (EndTxn). */
export const endTransaction = async (
  { transactionalId, coordinators, identity, patience }: TransactionEnd,
  how: 'commit' | 'abort',
): Promise<void> => {
  const committed = how === 'commit'
  await coordinators.ask({
    api: endTxnApi,
    coordinator: { type: 'transaction', name: transactionalId },
    body: () => {
      const { producerId, epoch } = identity.current!
      return { transactionalId, producerId, producerEpoch: epoch, committed }
    },
    // Nothing has reached the coordinator yet: then there is nothing to be aborted.
    codeOf: ({ errorCode }) => (errorCode === ERROR.INVALID_TXN_STATE && !committed ? ERROR.NONE : errorCode),
    refusal: (request, verdict, context) => refusalOf(transactionalId, request, verdict, context),
    patience,
  })
}
