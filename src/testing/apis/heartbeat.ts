/** Heartbeat, versions 0-4. */

import { ERROR } from '../../protocol/errorCodes.js'
import { heartbeatApi } from '../../protocol/messages/heartbeat.js'
import { groupError } from './coordinator.js'
import { serve } from './served.js'

export const heartbeat = serve(heartbeatApi, {
  handle: ({ groupId, memberId, generationId }, context) => {
    const wrongBroker = groupError(groupId, context)
    if (wrongBroker !== ERROR.NONE) return { errorCode: wrongBroker }
    const group = context.cluster.groups.find(groupId)
    return { errorCode: group?.heartbeat(memberId, generationId) ?? ERROR.UNKNOWN_MEMBER_ID }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
})
