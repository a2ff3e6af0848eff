/** FindCoordinator, versions 0-4, for groups and transactions: a living broker by the hash of the key. */

import { ERROR } from '../../protocol/errorCodes.js'
import { findCoordinatorApi } from '../../protocol/messages/findCoordinator.js'
import type { Decoded } from '../../protocol/wire/codec.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof findCoordinatorApi.request>

const nowhere = (errorCode: number) => ({ errorCode, errorMessage: null, nodeId: -1, host: '', port: -1 })

const locate = (key: string, { cluster }: RequestContext) => {
  const node = cluster.coordinatorOf(key)
  if (node === -1) return nowhere(ERROR.COORDINATOR_NOT_AVAILABLE)
  const { host, port } = cluster.broker(node)
  return { errorCode: ERROR.NONE, errorMessage: null, nodeId: node, host, port }
}

const answer = (
  { key, coordinatorKeys }: Request,
  version: number,
  each: (key: string) => ReturnType<typeof nowhere>,
) => (version < 4 ? each(key) : { coordinators: coordinatorKeys.map(name => ({ key: name, ...each(name) })) })

export const findCoordinator = serve(findCoordinatorApi, {
  handle: (request, context) => answer(request, context.version, key => locate(key, context)),
  refuse: (request, errorCode, { version }) => answer(request, version, () => nowhere(errorCode)),
})
