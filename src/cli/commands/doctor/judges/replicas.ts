import { plural } from '../../../terminal/format.js'
import type { Facts, TopicFacts } from '../facts.js'
import { leastOf, topicNumber } from '../facts.js'
import { type Finding, fine, problem, warning } from '../finding.js'

const MINIMUM = 'min.insync.replicas'

/** Whether there are enough replicas for acks -1, today and with a broker down. */
export function judgeReplicas(facts: Facts): Finding[] {
  if (facts.settings.acks !== -1) return []
  const { topic } = facts
  return topic?.answer.code === 0 ? judgeTopic(facts, topic) : judgeDefaults(facts)
}

function judgeTopic(facts: Facts, { name, partitions }: TopicFacts): Finding[] {
  const minimum = topicNumber(facts, MINIMUM, MINIMUM)
  if (minimum === undefined || partitions.length === 0) return []
  const replicas = Math.min(...partitions.map(each => each.replicas))
  if (minimum > replicas) {
    return [
      problem(
        `${name} has ${plural(replicas, 'replica')} and asks for ${minimum} in sync: no record is ever acknowledged`,
        `lower ${MINIMUM} of ${name}, or raise its replication factor`,
      ),
    ]
  }
  const short = partitions.filter(each => each.inSync < minimum)
  if (short.length > 0) {
    const shown = short.map(each => `${each.index} (${each.inSync})`).join(', ')
    return [
      problem(
        `${name} needs ${minimum} replicas in sync, and has fewer on partition ${shown}`,
        'bring back the brokers with its replicas: records wait for them, and fail after deliveryTimeoutMs',
      ),
    ]
  }
  if (replicas === 1) {
    return facts.brokers.length > 1
      ? [
          warning(
            `${name} has one replica`,
            'a broker that fails takes its records along: a replication factor of 3 is usual',
          ),
        ]
      : [fine(`${name} has one replica, on the one broker`)]
  }
  if (replicas === minimum) {
    return [
      warning(
        `${name} needs all of its ${replicas} replicas in sync`,
        `each restart of a broker stops its writes: ${MINIMUM} is usually one less than the replicas`,
      ),
    ]
  }
  return [fine(`${name} has ${plural(replicas, 'replica')} and needs ${minimum} in sync`)]
}

function judgeDefaults(facts: Facts): Finding[] {
  const replicas = leastOf(facts, 'default.replication.factor')
  const minimum = leastOf(facts, MINIMUM)
  if (replicas === undefined || minimum === undefined) return []
  if (replicas > facts.brokers.length) {
    return [
      warning(
        `default.replication.factor is ${replicas}, with ${plural(facts.brokers.length, 'broker')}`,
        'no topic can be created with the defaults: lower it, or start more brokers',
      ),
    ]
  }
  if (minimum > replicas) {
    return [
      problem(
        `new topics have ${plural(replicas, 'replica')} by default and ask for ${minimum} in sync: no record to them is ever acknowledged`,
        `raise default.replication.factor, or lower ${MINIMUM}`,
      ),
    ]
  }
  return [fine(`new topics have ${plural(replicas, 'replica')} by default and need ${minimum} in sync`)]
}
