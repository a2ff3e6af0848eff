/** ListGroups, versions 0-4: the groups this broker coordinates. */

import { ERROR } from '../../protocol/errorCodes.js'
import { listGroupsApi } from '../../protocol/messages/listGroups.js'
import { serve } from './served.js'

export const listGroups = serve(listGroupsApi, {
  handle: ({ statesFilter }, { cluster, node }) => ({
    errorCode: ERROR.NONE,
    groups: cluster.groups
      .list()
      .filter(({ id }) => cluster.coordinatorOf(id) === node)
      .filter(({ state }) => statesFilter.length === 0 || statesFilter.includes(state))
      .map(({ id, protocolType, state }) => ({ groupId: id, protocolType, groupState: state })),
  }),
  refuse: (_request, errorCode) => ({ errorCode, groups: [] }),
})
