/**
 * JoinGroup, versions 0-9. The answer waits until all members have joined, or the rebalance timeout; from version 4
 * on a new member is first given its id (KIP-394). Static membership (KIP-345) is accepted and not acted upon.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { joinGroupApi } from '../../protocol/messages/joinGroup.js'
import type { JoinResult } from '../state/groups/groupMember.js'
import { groupError } from './coordinator.js'
import { serve } from './served.js'

const ASKS_TWICE_SINCE = 4

const answer = (result: Omit<JoinResult, 'members'> & Partial<JoinResult>, protocolType: string | null) => ({
  errorCode: result.errorCode,
  generationId: result.generation,
  protocolType,
  protocolName: result.protocol,
  leader: result.leader,
  memberId: result.memberId,
  members: result.members ?? [],
})

const failure = (errorCode: number, memberId: string) =>
  answer({ errorCode, memberId, generation: -1, protocol: '', leader: '' }, null)

export const joinGroup = serve(joinGroupApi, {
  handle: async (request, context) => {
    const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs, protocolType, protocols } = request
    const wrongBroker = groupError(groupId, context)
    if (wrongBroker !== ERROR.NONE) return failure(wrongBroker, memberId)
    const { config } = context.cluster.broker(context.node)
    const allowed =
      sessionTimeoutMs >= config.number('group.min.session.timeout.ms') &&
      sessionTimeoutMs <= config.number('group.max.session.timeout.ms')
    if (!allowed) return failure(ERROR.INVALID_SESSION_TIMEOUT, memberId)
    const group = context.cluster.groups.findOrCreate(groupId)
    const result = await group.join({
      memberId,
      clientId: context.clientId ?? '',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      protocolType,
      protocols,
      newMembersAskTwice: context.version >= ASKS_TWICE_SINCE,
    })
    return answer(result, protocolType)
  },
  refuse: ({ memberId }, errorCode) => failure(errorCode, memberId),
})
