import type { Facts } from '../facts.js'
import { type Finding, fine, problem, unknown, warning } from '../finding.js'

const CLUSTER_AUTHORIZATION_FAILED = 31
/** AclOperation.WRITE, as a bit of the operations that Metadata tells. */
const WRITE = 1 << 4

/** Whether this user may write, and without doubles. */
export function judgeRights(facts: Facts): Finding[] {
  return [...judgeWriting(facts), ...judgeIdempotence(facts)]
}

function judgeWriting({ topic }: Facts): Finding[] {
  if (topic?.answer.code !== 0 || topic.operations === undefined) return []
  return [
    topic.operations & WRITE
      ? fine(`this user may write to ${topic.name}`)
      : problem(`this user may not write to ${topic.name}`, `allow WRITE on ${topic.name}`),
  ]
}

function judgeIdempotence({ producerId, settings }: Facts): Finding[] {
  const { idempotent, acks } = settings
  if (idempotent === false || (idempotent === undefined && acks !== -1)) {
    return [fine('the producer is set to go without idempotence')]
  }
  if (producerId === undefined)
    return [unknown('whether the producer may be idempotent is not known: no answer')]
  if (producerId.code === 0) return [fine('the producer may be idempotent: no record is written twice')]
  const remedy =
    producerId.code === CLUSTER_AUTHORIZATION_FAILED
      ? 'allow IDEMPOTENT_WRITE on the cluster (from Kafka 3.0 on, WRITE on any topic is enough)'
      : 'see the broker’s log'
  return [
    idempotent === true
      ? problem(
          `the cluster gives no producer id: ${producerId.words}; connect() fails, as idempotent is true`,
          remedy,
        )
      : warning(
          `the cluster gives no producer id: ${producerId.words}; a retry may write a record twice`,
          remedy,
        ),
  ]
}
