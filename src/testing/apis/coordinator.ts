import { ERROR } from '../errorCodes.js'
import type { RequestContext } from './served.js'

/** What a broker says that is asked about a group or transactional id it may not coordinate. */
export const coordinatorError = (key: string, { cluster, node }: RequestContext): number =>
  cluster.coordinatorOf(key) === node ? ERROR.NONE : ERROR.NOT_COORDINATOR

/** The same for groups, whose name must not be empty. */
export const groupError = (groupId: string, context: RequestContext): number =>
  groupId === '' ? ERROR.INVALID_GROUP_ID : coordinatorError(groupId, context)
