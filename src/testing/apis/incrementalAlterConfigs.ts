/** IncrementalAlterConfigs, versions 0-1, of topics: set, delete, append to and subtract from lists. */
import {
  CONFIG_OPERATION,
  incrementalAlterConfigsApi,
} from '../../protocol/messages/incrementalAlterConfigs.js'
import type { Decoded } from '../../protocol/wire/codec.js'
import { alterTopicConfig } from '../state/topics/alterConfig.js'
import type { ConfigValues } from '../state/topics/configs.js'
import { serve } from './served.js'

type Change = Decoded<typeof incrementalAlterConfigsApi.request>['resources'][number]['configs'][number]

const listed = (value: string): string[] => (value === '' ? [] : value.split(','))

const applyChanges = (
  own: ConfigValues,
  effective: (setting: string) => string,
  changes: readonly Change[],
): Record<string, string | null> => {
  const result: Record<string, string | null> = Object.assign(Object.create(null), own)
  for (const { name, configOperation, value } of changes) {
    if (configOperation === CONFIG_OPERATION.delete) delete result[name]
    else if (configOperation === CONFIG_OPERATION.set) result[name] = value
    else {
      const items = listed(effective(name))
      const given = listed(value ?? '')
      const appended = [...items, ...given.filter(item => !items.includes(item))]
      const kept = items.filter(item => !given.includes(item))
      result[name] = (configOperation === CONFIG_OPERATION.append ? appended : kept).join(',')
    }
  }
  return result
}

export const incrementalAlterConfigs = serve(incrementalAlterConfigsApi, {
  handle: ({ resources, validateOnly }, { cluster }) => ({
    throttleTimeMs: 0,
    responses: resources.map(({ resourceType, resourceName, configs }) => ({
      resourceType,
      resourceName,
      ...alterTopicConfig(cluster, resourceType, resourceName, validateOnly, (own, effective) =>
        applyChanges(own, effective, configs),
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
