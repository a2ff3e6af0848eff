/** SyncGroup, versions 0-5: followers wait for the leader's assignment. */

import { ERROR } from '../../protocol/errorCodes.js'
import { syncGroupApi } from '../../protocol/messages/syncGroup.js'
import { groupError } from './coordinator.js'
import { serve } from './served.js'

const failure = (errorCode: number) => ({ errorCode, assignment: Buffer.alloc(0) })

export const syncGroup = serve(syncGroupApi, {
  handle: async ({ groupId, memberId, generationId, protocolType, protocolName, assignments }, context) => {
    const wrongBroker = groupError(groupId, context)
    if (wrongBroker !== ERROR.NONE) return failure(wrongBroker)
    const group = context.cluster.groups.find(groupId)
    if (!group) return failure(ERROR.UNKNOWN_MEMBER_ID)
    return { ...(await group.sync(memberId, generationId, assignments)), protocolType, protocolName }
  },
  refuse: (_request, errorCode) => failure(errorCode),
})
