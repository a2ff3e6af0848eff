import { ERROR } from '../../../protocol/errorCodes.js'
import { CONFIG_RESOURCE } from '../../../protocol/messages/describeConfigs.js'
import type { ClusterState } from '../cluster.js'
import { type ConfigValues, invalidTopicConfigReason } from './configs.js'

/** The outcome of a change to one resource. */
export interface AlterResult {
  readonly errorCode: number
  readonly errorMessage: string | null
}

const refused = (errorCode: number, errorMessage: string): AlterResult => ({ errorCode, errorMessage })

/**
 * Changes the settings of a topic. Brokers' own settings are fixed at the start of the cluster.
 *
 * @param change makes the topic's own values anew
 */
export const alterTopicConfig = (
  cluster: ClusterState,
  resourceType: number,
  name: string,
  validateOnly: boolean,
  change: (own: ConfigValues, effective: (setting: string) => string) => Record<string, string | null>,
): AlterResult => {
  if (resourceType !== CONFIG_RESOURCE.topic) {
    return refused(ERROR.INVALID_REQUEST, "The embedded cluster's brokers have no dynamic settings.")
  }
  if (cluster.acl.isDenied(name, 'alter')) {
    return refused(ERROR.TOPIC_AUTHORIZATION_FAILED, 'Topic authorization failed.')
  }
  const topic = cluster.topics.get(name)
  if (!topic) return refused(ERROR.UNKNOWN_TOPIC_OR_PARTITION, `The topic '${name}' does not exist.`)
  const values = change(topic.config.values, setting => topic.config.get(setting))
  for (const [setting, value] of Object.entries(values)) {
    const reason = invalidTopicConfigReason(setting, value)
    if (reason) return refused(ERROR.INVALID_CONFIG, reason)
  }
  if (!validateOnly) topic.config.replace(values as ConfigValues)
  return { errorCode: ERROR.NONE, errorMessage: null }
}
