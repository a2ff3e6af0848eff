/** AlterConfigs, versions 0-2, of topics: their own settings are replaced by those of the request. */
import { alterConfigsApi } from '../../protocol/messages/alterConfigs.js'
import { alterTopicConfig } from '../state/topics/alterConfig.js'
import { serve } from './served.js'

export const alterConfigs = serve(alterConfigsApi, {
  handle: ({ resources, validateOnly }, { cluster }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      ...alterTopicConfig(cluster, resourceType, resourceName, validateOnly, () =>
        Object.fromEntries(configs.map(({ name, value }) => [name, value])),
      ),
    })),
  }),
  refuse: ({ resources }, errorCode) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName }) => ({
      resourceType,
      resourceName,
      errorCode,
      errorMessage: null,
    })),
  }),
})
