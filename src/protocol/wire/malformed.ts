/**
 * Bytes that cannot be a message of the Kafka protocol: truncated, or with an impossible count.
 * The connection they came from cannot be trusted any more and has to be dropped.
 */
export class MalformedMessageError extends Error {
  override readonly name = 'MalformedMessageError'
}
