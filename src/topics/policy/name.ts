const MAX_NAME_LENGTH = 249
const LEGAL_NAME = /^[a-zA-Z0-9._-]+$/

/** What is wrong with a topic's name by Kafka's rules (org.apache.kafka.common.internals.Topic), or undefined. */
export const topicNameProblem = (name: string): string | undefined => {
  if (name.length === 0) return 'it is empty'
  if (name === '.' || name === '..') return `it is ${JSON.stringify(name)}`
  if (name.length > MAX_NAME_LENGTH) return `it has ${name.length} characters`
  if (!LEGAL_NAME.test(name)) return 'it has a character that is not allowed'
  return undefined
}
