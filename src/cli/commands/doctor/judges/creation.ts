import { plural } from '../../../terminal/format.js'
import type { Facts, TopicFacts } from '../facts.js'
import { settingOf } from '../facts.js'
import { type Finding, fine, problem, unknown, warning } from '../finding.js'

const SETTING = 'auto.create.topics.enable'

/** Who creates a topic that does not exist, and what becomes of a send to the one that was asked about. */
export function judgeCreation(facts: Facts): Finding[] {
  return [...judgeSetting(facts), ...(facts.topic ? [judgeTopic(facts, facts.topic)] : [])]
}

function judgeSetting(facts: Facts): Finding[] {
  const refusals = facts.brokers.flatMap(({ nodeId, settings }) =>
    settings && 'refusal' in settings && settings.code !== INVALID_REQUEST
      ? [
          unknown(
            `broker ${nodeId} does not tell its settings: ${settings.refusal}`,
            'allow DESCRIBE_CONFIGS on the cluster, so that a producer can tell a topic that is not there yet from one that will never be',
          ),
        ]
      : [],
  )
  const values = settingOf(facts, SETTING)
  const creating = [...values].filter(([, value]) => value === 'true').map(([nodeId]) => nodeId)
  if (values.size === 0) return refusals
  if (creating.length === values.size)
    return [...refusals, fine(`topics are created by use (${SETTING}=true)`)]
  if (creating.length === 0) {
    return [...refusals, fine(`topics are not created by use (${SETTING}=false)`)]
  }
  const others = [...values.keys()].filter(nodeId => !creating.includes(nodeId))
  return [
    ...refusals,
    warning(
      `${SETTING} is true on broker ${creating.join(', ')} and false on broker ${others.join(', ')}`,
      'set it alike: whether a topic is created by use depends on which broker is asked',
    ),
  ]
}

const UNKNOWN_TOPIC = 3
/** Of another broker at the address: the judge of addresses tells it. */
const INVALID_REQUEST = 42
const UNAUTHORIZED = [29, 31]
/** What CreateTopics says of topics that cannot be; anything else says nothing about creation by use. */
const DEFINITE = [17, 37, 38, 40, 44]

function judgeTopic(facts: Facts, topic: TopicFacts): Finding {
  const { name, answer, partitions } = topic
  if (answer.code === 0) {
    const without = partitions.filter(each => each.leader < 0).map(each => each.index)
    if (without.length === 0) {
      return fine(`${name} has ${plural(partitions.length, 'partition')}, each with a leader`)
    }
    return problem(
      `${name} has no leader for partition ${without.join(', ')} of ${partitions.length}`,
      'bring back the brokers with their replicas: records for them wait, and fail after deliveryTimeoutMs',
    )
  }
  if (UNAUTHORIZED.includes(answer.code)) {
    return problem(
      `${name} is not shown to this user: ${answer.words}`,
      `allow WRITE and DESCRIBE on ${name}`,
    )
  }
  if (answer.code !== UNKNOWN_TOPIC) return problem(`${name}: ${answer.words}`, 'choose another name')
  return judgeMissing(facts, topic)
}

function judgeMissing(facts: Facts, { name, policy, creation }: TopicFacts): Finding {
  const missing = `${name} does not exist, and the policy is create: '${policy.create}'`
  if (policy.create === 'never') {
    return problem(
      `${missing}: a send fails with UnknownTopicError`,
      `create it (resilient-producer topics apply), or choose another --topic-creation`,
    )
  }
  const enabled = settingOf(facts, SETTING)
  if (policy.create === 'broker' && enabled.size > 0 && ![...enabled.values()].includes('true')) {
    return problem(
      `${missing}, but no broker creates topics by use: a send fails with TopicCreationDisabledError`,
      `create it (resilient-producer topics apply), or choose create: 'admin'`,
    )
  }
  if (creation === undefined)
    return unknown(`${missing}: whether the cluster lets it be created is not known`)
  if (creation.code === 0) return fine(`${missing}: it can be created, and will be by the first send`)
  if (policy.create === 'admin' || DEFINITE.includes(creation.code)) {
    return problem(
      `${missing}, but it cannot be created: ${creation.words}`,
      UNAUTHORIZED.includes(creation.code)
        ? `allow CREATE on ${name}, or on the cluster`
        : 'choose another name, or change what the cluster objects to',
    )
  }
  return unknown(`${missing}: whether it can be created is not told (${creation.words})`)
}
