import { formatCount } from '../../../terminal/format.js'
import type { Facts } from '../facts.js'
import { leastOf, topicNumber } from '../facts.js'
import { type Finding, fine, problem, warning } from '../finding.js'

/** Whether what the producer may send is what the brokers take. */
export function judgeSizes(facts: Facts): Finding[] {
  return [...judgeRequests(facts), ...judgeBatches(facts)]
}

const bytes = (count: number): string => `${formatCount(count)} bytes`

function judgeRequests(facts: Facts): Finding[] {
  const limit = leastOf(facts, 'socket.request.max.bytes')
  const { requestBytes } = facts.settings
  if (limit === undefined) return []
  return [
    requestBytes > limit
      ? problem(
          `requestBytes is ${bytes(requestBytes)}, and a broker takes requests up to ${bytes(limit)} (socket.request.max.bytes)`,
          `lower requestBytes to ${limit}: a larger request ends the connection`,
        )
      : fine(`requests are up to ${bytes(requestBytes)}, and the brokers take ${bytes(limit)}`),
  ]
}

function judgeBatches(facts: Facts): Finding[] {
  const limit = topicNumber(facts, 'max.message.bytes', 'message.max.bytes')
  const { batchBytes, requestBytes } = facts.settings
  if (limit === undefined) return []
  const where = facts.topic?.settings ? facts.topic.name : 'a broker'
  if (batchBytes > limit) {
    return [
      warning(
        `batchBytes is ${bytes(batchBytes)}, and ${where} takes batches up to ${bytes(limit)} (max.message.bytes)`,
        `lower batchBytes to ${limit}: larger batches are refused and sent again in parts`,
      ),
    ]
  }
  if (limit > requestBytes) {
    return [
      warning(
        `${where} takes records up to ${bytes(limit)}, and requestBytes is ${bytes(requestBytes)}`,
        'raise requestBytes where such records are sent: the producer refuses them',
      ),
    ]
  }
  return [fine(`a record may have about ${bytes(limit)} on ${where}, compressed (max.message.bytes)`)]
}
