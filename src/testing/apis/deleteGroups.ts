/** DeleteGroups, versions 0-2: empty groups and their offsets. */

import { ERROR } from '../../protocol/errorCodes.js'
import { deleteGroupsApi } from '../../protocol/messages/deleteGroups.js'
import { groupError } from './coordinator.js'
import { type RequestContext, serve } from './served.js'

const remove = (groupId: string, context: RequestContext): number => {
  const wrongBroker = groupError(groupId, context)
  if (wrongBroker !== ERROR.NONE) return wrongBroker
  const { groups } = context.cluster
  if (!groups.exists(groupId)) return ERROR.GROUP_ID_NOT_FOUND
  if (groups.findOrCreate(groupId).state !== 'Empty') return ERROR.NON_EMPTY_GROUP
  groups.delete(groupId)
  return ERROR.NONE
}

export const deleteGroups = serve(deleteGroupsApi, {
  handle: ({ groupsNames }, context) => ({
    throttleTimeMs: 0,
    results: groupsNames.map(groupId => ({ groupId, errorCode: remove(groupId, context) })),
  }),
  refuse: ({ groupsNames }, errorCode) => ({
    throttleTimeMs: 0,
    results: groupsNames.map(groupId => ({ groupId, errorCode })),
  }),
})
