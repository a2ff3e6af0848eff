import { BrokerMisunderstoodError, missingTopics } from '../../errors/brokerMisunderstoodError.js'
import { metadataApi } from '../../protocol/messages/metadata.js'
import type { ControlAnswer } from '../../transport/port.js'
import type { MetadataResponse } from '../cache/view.js'
import type { MetadataQuery } from './query.js'

/**
 * Bytes behind an answer are no fault: some brokers write more than the message. But where they come with an answer that lacks what was
 * asked for, the sides do not agree on the message, and asking again would go on for the whole budget.
 *
 * @throws {BrokerMisunderstoodError}
 */
export const throwIfMisunderstood = (
  query: MetadataQuery,
  { response, version, nodeId, trailingBytes = 0 }: ControlAnswer<MetadataResponse>,
): void => {
  if (trailingBytes === 0) return
  const answered = new Set(response.topics.map(({ name }) => name))
  const missing = query === 'brokers-only' ? [] : query.names.filter(name => !answered.has(name))
  if (response.brokers.length > 0 && missing.length === 0) return
  throw new BrokerMisunderstoodError({
    nodeId,
    apiName: metadataApi.name,
    version,
    trailingBytes,
    missing: missing.length === 0 ? 'any broker' : missingTopics(missing),
  })
}
