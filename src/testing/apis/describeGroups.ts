/** DescribeGroups, versions 0-5; a group that is not there is 'Dead', as brokers say. */

import { ERROR } from '../../protocol/errorCodes.js'
import { describeGroupsApi } from '../../protocol/messages/describeGroups.js'
import { groupError } from './coordinator.js'
import { type RequestContext, serve } from './served.js'

const absent = (groupId: string, errorCode: number, groupState: string) => ({
  errorCode,
  groupId,
  groupState,
  protocolType: '',
  protocolData: '',
  members: [],
})

const describe = (groupId: string, context: RequestContext) => {
  const errorCode = groupError(groupId, context)
  if (errorCode !== ERROR.NONE) return absent(groupId, errorCode, '')
  const { groups } = context.cluster
  if (!groups.exists(groupId)) return absent(groupId, ERROR.NONE, 'Dead')
  const { state, protocolType, protocol, members } = groups.findOrCreate(groupId).describe()
  return {
    errorCode,
    groupId,
    groupState: state,
    protocolType,
    protocolData: protocol,
    members: members.map(({ memberId, clientId, clientHost, metadata, assignment }) => ({
      memberId,
      clientId,
      clientHost,
      memberMetadata: metadata,
      memberAssignment: assignment,
    })),
  }
}

export const describeGroups = serve(describeGroupsApi, {
  handle: ({ groups }, context) => ({ groups: groups.map(groupId => describe(groupId, context)) }),
  refuse: ({ groups }, errorCode) => ({ groups: groups.map(groupId => absent(groupId, errorCode, '')) }),
})
