/** DeleteTopics, versions 0-6, by name or (6) by topic id. `delete.topic.enable=false` refuses it. */

import { ERROR } from '../../protocol/errorCodes.js'
import { deleteTopicsApi } from '../../protocol/messages/deleteTopics.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { type RequestContext, serve } from './served.js'

type Request = Decoded<typeof deleteTopicsApi.request>
type Answer = Encodable<typeof deleteTopicsApi.response>['responses'][number]

const namesOf = ({ topics, topicNames }: Request): (string | null)[] => [
  ...topicNames,
  ...topics.map(({ name }) => name),
]

const remove = (name: string, { cluster, node }: RequestContext): Answer => {
  if (cluster.acl.isDenied(name, 'delete')) return { name, errorCode: ERROR.TOPIC_AUTHORIZATION_FAILED }
  if (cluster.broker(node).config.get('delete.topic.enable') !== 'true') {
    return { name, errorCode: ERROR.TOPIC_DELETION_DISABLED }
  }
  const topicId = cluster.topics.get(name)?.id
  if (!cluster.deleteTopic(name)) return { name, errorCode: ERROR.UNKNOWN_TOPIC_OR_PARTITION }
  return { name, topicId, errorCode: ERROR.NONE }
}

const removeById = (topicId: string, context: RequestContext): Answer => {
  for (const topic of context.cluster.topics.values()) {
    if (topic.id === topicId) return remove(topic.name, context)
  }
  return { name: null, topicId, errorCode: ERROR.UNKNOWN_TOPIC_ID }
}

export const deleteTopics = serve(deleteTopicsApi, {
  topics: {
    names: request => namesOf(request).map(name => name ?? ''),
    pick: (request, keep) => ({
      ...request,
      topicNames: request.topicNames.filter(keep),
      topics: request.topics.filter(({ name }) => keep(name ?? '')),
    }),
    join: (first, second) => ({ ...second, responses: [...first.responses, ...second.responses] }),
  },
  handle: ({ topics, topicNames }, context) => ({
    responses: [
      ...topicNames.map(name => remove(name, context)),
      ...topics.map(({ name, topicId }) =>
        name === null ? removeById(topicId, context) : remove(name, context),
      ),
    ],
  }),
  refuse: (request, errorCode) => ({ responses: namesOf(request).map(name => ({ name, errorCode })) }),
})
