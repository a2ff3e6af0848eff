import { InvalidOptionsError } from '../../errors/index.js'
import { TOPIC_CREATIONS, type TopicCreation } from '../../topics/index.js'

/** Names who creates topics where the options do not say so: development, test and production then differ by it alone. */
const TOPICS_VARIABLE = 'RESILIENT_KAFKA_TOPICS'

/**
 * What the environment says of `topics.create`. Empty counts as unset, as it is in a compose file without a value.
 *
 * @throws {InvalidOptionsError} when it is no policy
 */
export const creationOfEnvironment = (environment = process.env): TopicCreation | undefined => {
  const value = environment[TOPICS_VARIABLE]
  if (value === undefined || value === '') return undefined
  const creation = TOPIC_CREATIONS.find(each => each === value)
  if (creation !== undefined) return creation
  throw new InvalidOptionsError([
    `the environment variable ${TOPICS_VARIABLE} must be ${TOPIC_CREATIONS.join(', ')} or unset, but is ${JSON.stringify(value)}`,
  ])
}
