import { IncompatibleKafkajsError } from '../../errors/index.js'

/** The descriptions of the symbols under which a Kafka of kafkajs keeps what it was made with (kafkajs/src/index.js). */
export const CREATE_CLUSTER = 'private:Kafka:createCluster'
export const LOGGER = 'private:Kafka:logger'
export const CLUSTER_RETRY = 'private:Kafka:clusterRetry'
export const OFFSETS = 'private:Kafka:offsets'

/**
 * By description, not identity: the Kafka may come from another copy of kafkajs than the one imported here.
 *
 * @throws {IncompatibleKafkajsError}
 */
export const symbolOf = (kafka: unknown, description: string): symbol => {
  if (typeof kafka !== 'object' || kafka === null)
    throw new IncompatibleKafkajsError(`it is ${kafka === null ? 'null' : typeof kafka}`)
  const symbol = Object.getOwnPropertySymbols(kafka).find(each => each.description === description)
  if (symbol === undefined) throw new IncompatibleKafkajsError(`it has no symbol "${description}"`)
  return symbol
}

/** @throws {IncompatibleKafkajsError} */
export const privateOf = (kafka: unknown, description: string): unknown =>
  (kafka as Record<symbol, unknown>)[symbolOf(kafka, description)]

type Kind = 'function' | 'object' | 'number' | 'boolean'

/** @throws {IncompatibleKafkajsError} naming what is missing */
export const requireShape = (value: unknown, name: string, members: Record<string, Kind>): void => {
  if (typeof value !== 'object' || value === null)
    throw new IncompatibleKafkajsError(`its ${name} is ${value === null ? 'null' : typeof value}`)
  for (const [member, kind] of Object.entries(members)) {
    const found = typeof (value as Record<string, unknown>)[member]
    if (found !== kind)
      throw new IncompatibleKafkajsError(`the ${member} of its ${name} is ${found}, not ${kind}`)
  }
}
