import { UnsupportedApiError } from '../../../errors/index.js'
import { NotYet } from '../../../metadata/retry/schedule.js'
import { createPartitionsApi } from '../../../protocol/messages/createPartitions.js'
import { createTopicsApi } from '../../../protocol/messages/createTopics.js'
import { CONFIG_RESOURCE } from '../../../protocol/messages/describeConfigs.js'
import {
  CONFIG_OPERATION,
  incrementalAlterConfigsApi,
} from '../../../protocol/messages/incrementalAlterConfigs.js'
import { encodeCreation } from '../../../topics/creation/createTopicsQuery.js'
import type { ClusterClient } from '../../cluster/client.js'
import { Verdict } from '../../cluster/verdict.js'
import type { Change, Configuration, Creation, MorePartitions } from './difference.js'

/** `validate`: the cluster judges the change and does nothing. */
export type Intent = 'validate' | 'apply'

/** How long the controller may take for one change. ms */
const CHANGE_TIMEOUT_MS = 10_000

/**
 * One change, alone in its request: its refusal is its own, and no request has more partitions than a broker takes.
 *
 * @throws {Verdict} the cluster's refusal
 */
export function change(client: ClusterClient, wanted: Change, intent: Intent): Promise<void> {
  return client.retrying(async () => {
    const verdict = await send(client, wanted, intent === 'validate').catch(whereTooOld)
    if (verdict.code === 0) return
    // Before KRaft, the controller alone takes changes.
    if (verdict.code === NOT_CONTROLLER) await client.relearn()
    const refusal = new Verdict(nameOf(wanted), verdict.code, verdict.message)
    throw refusal.retriable ? new NotYet(refusal) : refusal
  })
}

const UNSUPPORTED_VERSION = 35
const NOT_CONTROLLER = 41

function whereTooOld(error: Error): Answer {
  if (!(error instanceof UnsupportedApiError)) throw error
  return { code: UNSUPPORTED_VERSION, message: 'the brokers are too old for this change' }
}

export const nameOf = (wanted: Change): string => (wanted.kind === 'create' ? wanted.topic.name : wanted.name)

interface Answer {
  readonly code: number
  readonly message: string | null
}

const DONE: Answer = { code: 0, message: null }
const NO_ANSWER: Answer = { code: -1, message: 'the broker’s answer does not name it' }

function send(client: ClusterClient, wanted: Change, validateOnly: boolean): Promise<Answer> {
  switch (wanted.kind) {
    case 'create':
      return createTopic(client, wanted, validateOnly)
    case 'partitions':
      return addPartitions(client, wanted, validateOnly)
    case 'config':
      return configure(client, wanted, validateOnly)
  }
}

const TOPIC_ALREADY_EXISTS = 36
const INVALID_PARTITIONS = 37

async function createTopic(
  client: ClusterClient,
  { topic }: Creation,
  validateOnly: boolean,
): Promise<Answer> {
  const { name, partitions, replicationFactor, config } = topic
  const configEntries = Object.entries(config).flatMap(([entry, value]) =>
    value === null ? [] : [{ name: entry, value }],
  )
  const { topics } = await client.askController(createTopicsApi, version => ({
    ...encodeCreation([{ name, partitions, replicationFactor, configEntries }], CHANGE_TIMEOUT_MS, version),
    validateOnly,
  }))
  const [result] = topics
  if (result === undefined) return NO_ANSWER
  // Asked again because the answer was lost, or made by another meanwhile: what differs is seen when it is looked at again.
  if (result.errorCode === TOPIC_ALREADY_EXISTS) return DONE
  return { code: result.errorCode, message: result.errorMessage }
}

async function addPartitions(
  client: ClusterClient,
  { name, to }: MorePartitions,
  validateOnly: boolean,
): Promise<Answer> {
  const { results } = await client.askController(createPartitionsApi, () => ({
    topics: [{ name, count: to, assignments: null }],
    timeoutMs: CHANGE_TIMEOUT_MS,
    validateOnly,
  }))
  const [result] = results
  if (result?.errorCode === INVALID_PARTITIONS && !validateOnly) {
    const topic = (await client.topics([name])).get(name)
    // The answer to an attempt before was lost.
    if (topic?.partitions.length === to) return DONE
  }
  return result === undefined ? NO_ANSWER : { code: result.errorCode, message: result.errorMessage }
}

async function configure(
  client: ClusterClient,
  { name, changes }: Configuration,
  validateOnly: boolean,
): Promise<Answer> {
  const { responses } = await client.askController(incrementalAlterConfigsApi, () => ({
    resources: [
      {
        resourceType: CONFIG_RESOURCE.topic,
        resourceName: name,
        configs: changes.map(({ setting, to }) => ({
          name: setting,
          configOperation: to === null ? CONFIG_OPERATION.delete : CONFIG_OPERATION.set,
          value: to,
        })),
      },
    ],
    validateOnly,
  }))
  const [result] = responses
  return result === undefined ? NO_ANSWER : { code: result.errorCode, message: result.errorMessage }
}
