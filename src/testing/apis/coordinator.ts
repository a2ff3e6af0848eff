import { ERROR } from '../../protocol/errorCodes.js'
import type { RequestContext } from './served.js'

/** What a broker says that is asked about a group or transactional id it may not coordinate. */
export const coordinatorError = (key: string, { cluster, node }: RequestContext): number =>
  cluster.coordinatorOf(key) === node ? ERROR.NONE : ERROR.NOT_COORDINATOR

/** The same for groups, whose name must not be empty. */
export const groupError = (groupId: string, context: RequestContext): number =>
  groupId === '' ? ERROR.INVALID_GROUP_ID : coordinatorError(groupId, context)

/**
 * Whether a broker takes this request of a transactional producer.
 *
 * @param fencedSince the version from which on the API tells PRODUCER_FENCED from INVALID_PRODUCER_EPOCH (KIP-588)
 */
export const transactionError = (
  request: { readonly transactionalId: string; readonly producerId: bigint; readonly producerEpoch: number },
  fencedSince: number,
  context: RequestContext,
): number => {
  const { transactionalId, producerId, producerEpoch } = request
  const wrongBroker = coordinatorError(transactionalId, context)
  if (wrongBroker !== ERROR.NONE) return wrongBroker
  const identity = { producerId: Number(producerId), epoch: producerEpoch }
  const errorCode = context.cluster.transactions.producerError(transactionalId, identity)
  const older = errorCode === ERROR.PRODUCER_FENCED && context.version < fencedSince
  return older ? ERROR.INVALID_PRODUCER_EPOCH : errorCode
}
