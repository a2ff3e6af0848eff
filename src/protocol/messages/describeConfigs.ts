import { defineApi } from '../api.js'
import {
  array,
  between,
  boolean,
  int8,
  int16,
  int32,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
} from '../wire/codec.js'

/** The resource types of DescribeConfigs (org.apache.kafka.common.config.ConfigResource.Type). */
export const CONFIG_RESOURCE = { topic: 2, broker: 4 } as const

/** DescribeConfigs. */
export const describeConfigsApi = defineApi({
  name: 'DescribeConfigs',
  key: 32,
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    resources: array(
      struct({
        resourceType: int8,
        resourceName: string,
        configurationKeys: nullableArray(string),
      }),
    ),
    includeSynonyms: since(1, boolean, false),
    includeDocumentation: since(3, boolean, false),
  }),
  response: struct({
    throttleTimeMs: int32,
    results: array(
      struct({
        errorCode: int16,
        errorMessage: nullableString,
        resourceType: int8,
        resourceName: string,
        configs: array(
          struct({
            name: string,
            value: nullableString,
            readOnly: boolean,
            isDefault: between(0, 0, boolean, false),
            configSource: since(1, int8, -1),
            isSensitive: boolean,
            synonyms: since(1, array(struct({ name: string, value: nullableString, source: int8 })), []),
            configType: since(3, int8, 0),
            documentation: since(3, nullableString, null),
          }),
        ),
      }),
    ),
  }),
})
