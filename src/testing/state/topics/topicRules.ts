/** The controller's guard against requests that would take too much memory (ReplicationControlManager). */
export const MAX_PARTITIONS_PER_REQUEST = 10_000

const MAX_NAME_LENGTH = 249

const reasonOf = (name: string): string | undefined => {
  if (name === '') return 'the empty string is not allowed'
  if (name === '.' || name === '..') return `'${name}' is not allowed`
  if (name.length > MAX_NAME_LENGTH) {
    return `the length of '${name}' is longer than the max allowed length ${MAX_NAME_LENGTH}`
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return `'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`
  }
  return undefined
}

/** Why a name is no topic name, in Kafka's words (org.apache.kafka.common.internals.Topic); undefined when it is one. */
export const invalidNameReason = (name: string): string | undefined => {
  const reason = reasonOf(name)
  return reason && `Topic name is invalid: ${reason}`
}
