/**
 * DescribeConfigs, versions 0-4: topics, and the answering broker itself. Another broker's id is INVALID_REQUEST, an
 * empty broker name answers an empty list with error 0, as Kafka does.
 */

import { ERROR } from '../../protocol/errorCodes.js'
import { CONFIG_RESOURCE, describeConfigsApi } from '../../protocol/messages/describeConfigs.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import type { ConfigEntry } from '../state/topics/configs.js'
import { CONFIG_SOURCE } from '../state/topics/configs.js'
import { type RequestContext, serve } from './served.js'

type Resource = Decoded<typeof describeConfigsApi.request>['resources'][number]
type Result = Encodable<typeof describeConfigsApi.response>['results'][number]

const answer = (resource: Resource, configs: readonly ConfigEntry[]): Result => ({
  errorCode: ERROR.NONE,
  errorMessage: null,
  resourceType: resource.resourceType,
  resourceName: resource.resourceName,
  configs: configs.map(({ name, value, readOnly, source, type }) => ({
    name,
    value,
    readOnly,
    isDefault: source === CONFIG_SOURCE.default,
    configSource: source,
    isSensitive: false,
    synonyms: [],
    configType: type,
    documentation: null,
  })),
})

const failure = (resource: Resource, errorCode: number, errorMessage: string | null): Result => ({
  ...answer(resource, []),
  errorCode,
  errorMessage,
})

const describe = (resource: Resource, { cluster, node }: RequestContext): Result => {
  const { resourceType, resourceName, configurationKeys } = resource
  if (resourceType === CONFIG_RESOURCE.topic) {
    if (cluster.acl.isDenied(resourceName, 'describe')) {
      return failure(resource, ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.')
    }
    const topic = cluster.visibleTopic(resourceName, node)
    if (!topic) return failure(resource, ERROR.UNKNOWN_TOPIC_OR_PARTITION, '')
    return answer(resource, topic.config.describe(configurationKeys))
  }
  if (resourceType === CONFIG_RESOURCE.broker) {
    if (!cluster.model.describesBrokers) {
      return failure(resource, ERROR.CLUSTER_AUTHORIZATION_FAILED, 'Cluster authorization failed.')
    }
    if (resourceName === '') return answer(resource, [])
    if (resourceName !== String(node)) {
      return failure(
        resource,
        ERROR.INVALID_REQUEST,
        `Unexpected broker id, expected ${node} or empty string, but received ${resourceName}`,
      )
    }
    return answer(resource, cluster.broker(node).config.describe(configurationKeys))
  }
  return failure(resource, ERROR.INVALID_REQUEST, `Unsupported resource type: ${resourceType}`)
}

export const describeConfigs = serve(describeConfigsApi, {
  handle: ({ resources }, context) => ({
    throttleTimeMs: 0,
    results: resources.map(resource => describe(resource, context)),
  }),
  refuse: ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    results: resources.map(resource => failure(resource, errorCode, null)),
  }),
})
