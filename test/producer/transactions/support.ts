import type { ResilientTransaction } from 'kafkajs-resilient-producer'
import { TOPIC, type World } from '../../delivery/support/world.js'
import { readTransactionalLogs } from '../../kafka/support/committed.js'

export const TX = { transactionalId: 'tx' }

/** Sends one record, and does not mind how it ends. */
export const send = (transaction: ResilientTransaction, value: string, partition = 0, topic = TOPIC) => {
  const sent = transaction.send({ topic, messages: [{ value, partition }] })
  sent.catch(() => {})
  return sent
}

/** The values in the logs, by how their transactions ended. */
export const outcomes = async (world: World, ...topics: string[]) => {
  const logs = await readTransactionalLogs(world.cluster.bootstrap, topics.length > 0 ? topics : [TOPIC])
  const values = (records: readonly { value: string }[]) => records.map(({ value }) => value)
  return { committed: values(logs.committed), aborted: values(logs.aborted), open: values(logs.open) }
}

const CONNECTING = ['ApiVersions', 'Metadata', 'FindCoordinator']

/** What the producer asked of the brokers beside connecting. */
export const course = (world: World): string[] =>
  world.cluster.journal.entries
    .filter(({ api, clientId }) => clientId === 'under-test' && !CONNECTING.includes(api))
    .map(({ api }) => api)
