import { UnsupportedApiError } from '../../../errors/index.js'
import { encodeQuery, METADATA_MAX_VERSION } from '../../../metadata/requests/query.js'
import { NotYet } from '../../../metadata/retry/schedule.js'
import type { ProducerSettings } from '../../../producer/options/options.js'
import { createTopicsApi } from '../../../protocol/messages/createTopics.js'
import { CONFIG_RESOURCE } from '../../../protocol/messages/describeConfigs.js'
import { describeQuorumApi } from '../../../protocol/messages/describeQuorum.js'
import { initProducerIdApi } from '../../../protocol/messages/initProducerId.js'
import { metadataApi } from '../../../protocol/messages/metadata.js'
import { encodeCreation } from '../../../topics/creation/createTopicsQuery.js'
import type { TopicSettings } from '../../../topics/policy/policy.js'
import type { ClusterClient, Setting } from '../../cluster/client.js'
import { Verdict } from '../../cluster/verdict.js'
import { printable } from '../../terminal/format.js'
import type { Answer, BrokerSettings, Clock, TopicFacts } from './facts.js'

const FINE: Answer = { code: 0, words: '' }
const answerOf = (code: number, message: string | null = null): Answer =>
  code === 0 ? FINE : { code, words: new Verdict('', code, message).words }

/** What went wrong on the way is as good as no answer: the judges say that it is not known. */
const orElse = async <T, E>(asking: Promise<T>, otherwise: (error: Error) => E): Promise<T | E> => {
  try {
    return await asking
  } catch (error) {
    return otherwise(error instanceof Error ? error : new Error(String(error)))
  }
}

const BROKER_SETTINGS = [
  'auto.create.topics.enable',
  'num.partitions',
  'default.replication.factor',
  'min.insync.replicas',
  'message.max.bytes',
  'socket.request.max.bytes',
  'log.message.timestamp.after.max.ms',
]
const TOPIC_SETTINGS = ['min.insync.replicas', 'max.message.bytes', 'message.timestamp.after.max.ms']

/** A broker tells its own settings only. */
export const askBrokerSettings = (client: ClusterClient, nodeId: number): Promise<BrokerSettings> =>
  orElse(
    client
      .retrying(() =>
        client.settings(CONFIG_RESOURCE.broker, [{ name: String(nodeId), keys: BROKER_SETTINGS }]),
      )
      .then(found => ({ values: found.get(String(nodeId)) ?? new Map<string, Setting>() })),
    error =>
      error instanceof Verdict
        ? { refusal: error.words, code: error.code }
        : { refusal: printable(error.message), code: undefined },
  )

const NOT_TOLD = -2147483648

export async function askTopic(
  client: ClusterClient,
  name: string,
  { topics }: Pick<ProducerSettings, 'topics'>,
): Promise<TopicFacts> {
  const policy = topics.policyFor(name)
  const metadata = await client.retrying(() =>
    client.ask(
      metadataApi,
      version => ({
        ...encodeQuery({ names: [name], create: false }, version),
        includeTopicAuthorizedOperations: true,
      }),
      { maxVersion: METADATA_MAX_VERSION },
    ),
  )
  const topic = metadata.topics.find(each => each.name === name)
  const code = topic?.errorCode ?? UNKNOWN_TOPIC
  const operations = topic?.topicAuthorizedOperations
  return {
    name,
    policy,
    answer: answerOf(code),
    partitions: (topic?.partitions ?? []).map(({ partitionIndex, leaderId, replicaNodes, isrNodes }) => ({
      index: partitionIndex,
      leader: leaderId,
      replicas: replicaNodes.length,
      inSync: isrNodes.length,
    })),
    operations: operations === NOT_TOLD ? undefined : operations,
    settings: code === 0 ? await askTopicSettings(client, name) : undefined,
    creation: code === UNKNOWN_TOPIC ? await askCreation(client, name, policy) : undefined,
  }
}

const UNKNOWN_TOPIC = 3

const askTopicSettings = (client: ClusterClient, name: string): Promise<TopicFacts['settings']> =>
  orElse(
    client
      .retrying(() => client.settings(CONFIG_RESOURCE.topic, [{ name, keys: TOPIC_SETTINGS }]))
      .then(found => found.get(name)),
    () => undefined,
  )

/** Asks whether the topic could be created, without creating it. */
const askCreation = (
  client: ClusterClient,
  name: string,
  { create, ...settings }: TopicSettings,
): Promise<Answer | undefined> => {
  const byBroker = { partitions: -1, replicationFactor: -1, configEntries: [] }
  const wanted = create === 'admin' ? settings : byBroker
  return orElse(
    client.retrying(async () => {
      const { topics } = await client.ask(createTopicsApi, version => ({
        ...encodeCreation([{ ...wanted, name }], VALIDATION_MS, version),
        validateOnly: true,
      }))
      const [result] = topics
      return result && answerOf(result.errorCode, result.errorMessage)
    }),
    () => undefined,
  )
}

/** How long the controller may take to judge. ms */
const VALIDATION_MS = 5000

export const askProducerId = (client: ClusterClient): Promise<Answer | undefined> =>
  orElse(
    client.retrying(async () => {
      const { errorCode } = await client.ask(initProducerIdApi, () => ({
        transactionalId: null,
        transactionTimeoutMs: -1,
      }))
      const answer = answerOf(errorCode)
      // As right after a start: it passes.
      const refusal = errorCode === 0 ? undefined : new Verdict('no producer id', errorCode, null)
      if (refusal?.retriable) throw new NotYet(refusal)
      return answer
    }),
    error => (error instanceof Verdict ? answerOf(error.code) : undefined),
  )

const METADATA_LOG = '__cluster_metadata'

/** The clock of KRaft's controller: the one that a broker tells. */
export const askClock = (client: ClusterClient): Promise<Clock | string> =>
  orElse(
    client.retrying(async () => {
      const asked = Date.now()
      const { errorCode, topics } = await client.ask(describeQuorumApi, () => ({
        topics: [{ topicName: METADATA_LOG, partitions: [{ partitionIndex: 0 }] }],
      }))
      const answered = Date.now()
      if (errorCode !== 0) return answerOf(errorCode).words
      const log = topics[0]?.partitions[0]
      const leader = log?.currentVoters.find(each => each.replicaId === log.leaderId)
      const told = Number(leader?.lastCaughtUpTimestamp ?? -1)
      if (told < 0) return 'this version of Kafka does not tell it'
      return { aheadMs: told - (asked + answered) / 2, uncertaintyMs: (answered - asked) / 2 }
    }),
    error =>
      error instanceof UnsupportedApiError
        ? 'this version of Kafka does not tell it'
        : printable(error.message),
  )
