/** CreatePartitions, versions 0-3, validateOnly included; replica assignments by the client are not looked at. */

import { ERROR } from '../../protocol/errorCodes.js'
import { createPartitionsApi } from '../../protocol/messages/createPartitions.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { MAX_PARTITIONS_PER_REQUEST } from '../state/topics/topicRules.js'
import { type RequestContext, serve } from './served.js'

type Spec = Decoded<typeof createPartitionsApi.request>['topics'][number]
type Answer = Encodable<typeof createPartitionsApi.response>['results'][number]

const grow = ({ name, count }: Spec, validateOnly: boolean, { cluster }: RequestContext): Answer => {
  const failed = (errorCode: number, errorMessage: string): Answer => ({ name, errorCode, errorMessage })
  if (cluster.acl.isDenied(name, 'alter')) {
    return failed(ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.')
  }
  const topic = cluster.topics.get(name)
  if (!topic)
    return failed(ERROR.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
  const current = topic.partitions.length
  if (count === current) {
    return failed(ERROR.INVALID_PARTITIONS, `Topic already has ${count} partition(s).`)
  }
  if (count < current) {
    return failed(
      ERROR.INVALID_PARTITIONS,
      `The topic ${name} currently has ${current} partition(s); ${count} would not be an increase.`,
    )
  }
  if (count - current > MAX_PARTITIONS_PER_REQUEST) {
    return failed(ERROR.POLICY_VIOLATION, 'Excessively large number of partitions per request.')
  }
  if (!validateOnly) cluster.addPartitions(topic, count)
  return { name, errorCode: ERROR.NONE, errorMessage: null }
}

export const createPartitions = serve(createPartitionsApi, {
  topics: {
    names: request => request.topics.map(({ name }) => name),
    pick: (request, keep) => ({ ...request, topics: request.topics.filter(({ name }) => keep(name)) }),
    join: (first, second) => ({ ...second, results: [...first.results, ...second.results] }),
  },
  handle: ({ topics, validateOnly }, context) => ({
    throttleTimeMs: 0,
    results: topics.map(spec => grow(spec, validateOnly, context)),
  }),
  refuse: ({ topics }, errorCode) => ({
    throttleTimeMs: 0,
    results: topics.map(({ name }) => ({ name, errorCode, errorMessage: null })),
  }),
})
