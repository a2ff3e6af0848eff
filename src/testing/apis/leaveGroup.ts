/** LeaveGroup, versions 0-5: one member, or (3 on) several. */

import { ERROR } from '../../protocol/errorCodes.js'
import { leaveGroupApi } from '../../protocol/messages/leaveGroup.js'
import { groupError } from './coordinator.js'
import { serve } from './served.js'

export const leaveGroup = serve(leaveGroupApi, {
  handle: ({ groupId, memberId, members }, context) => {
    const wrongBroker = groupError(groupId, context)
    if (wrongBroker !== ERROR.NONE) return { errorCode: wrongBroker }
    const group = context.cluster.groups.find(groupId)
    const leave = (id: string) => group?.leave(id) ?? ERROR.UNKNOWN_MEMBER_ID
    if (context.version < 3) return { errorCode: leave(memberId) }
    return {
      errorCode: ERROR.NONE,
      members: members.map(member => ({ ...member, errorCode: leave(member.memberId) })),
    }
  },
  refuse: (_request, errorCode) => ({ errorCode }),
})
