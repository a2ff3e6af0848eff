import { apiVersions } from './apiVersions.js'
import { createTopics } from './createTopics.js'
import { describeConfigs } from './describeConfigs.js'
import { initProducerId } from './initProducerId.js'
import { metadata } from './metadata.js'
import { produce } from './produce.js'
import type { ServedApi } from './served.js'

/** Every API the brokers serve, by its name in Kafka's protocol. */
export const served = {
  Produce: produce,
  Metadata: metadata,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  InitProducerId: initProducerId,
  DescribeConfigs: describeConfigs,
}

export type ApiName = keyof typeof served
export type RequestOf<N extends ApiName> = (typeof served)[N] extends ServedApi<infer Q, infer _R> ? Q : never
export type ResponseOf<N extends ApiName> =
  (typeof served)[N] extends ServedApi<infer _Q, infer R> ? R : never

/** An API whose message types are not known here: what arrives by its key. */
export type AnyServedApi = ServedApi<unknown, unknown>

export const apiNames = Object.keys(served) as ApiName[]
const byKey = new Map(apiNames.map(name => [served[name].api.key, name]))

export const apiNameOf = (key: number): ApiName | undefined => byKey.get(key)
export const servedApi = (name: ApiName): AnyServedApi => served[name] as AnyServedApi
