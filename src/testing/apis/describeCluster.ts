/** DescribeCluster, versions 0-1: the living brokers. */

import { ERROR } from '../../protocol/errorCodes.js'
import { describeClusterApi } from '../../protocol/messages/describeCluster.js'
import { serve } from './served.js'

/** Nothing is said about authorized operations. */
const NO_OPERATIONS = -2147483648

export const describeCluster = serve(describeClusterApi, {
  handle: ({ endpointType }, { cluster }) => ({
    throttleTimeMs: 0,
    errorCode: ERROR.NONE,
    errorMessage: null,
    endpointType,
    clusterId: cluster.clusterId,
    controllerId: cluster.controllerId,
    brokers: cluster.aliveBrokers.map(({ id, host, port }) => ({ brokerId: id, host, port, rack: null })),
    clusterAuthorizedOperations: NO_OPERATIONS,
  }),
  refuse: (_request, errorCode) => ({
    throttleTimeMs: 0,
    errorCode,
    errorMessage: null,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: NO_OPERATIONS,
  }),
})
