import type { ProducerSettings } from '../../../producer/options/options.js'
import type { BrokerAddress } from '../../../transport/port.js'
import type { ClusterClient } from '../../cluster/client.js'
import { askBrokerSettings, askClock, askProducerId, askTopic } from './asking.js'
import type { Broker, Facts, Visited } from './facts.js'
import { isReached } from './facts.js'
import { type Visit, type Visitor, visit } from './visit.js'

export interface Examination extends Visitor {
  readonly settings: ProducerSettings
  readonly topic: string | undefined
}

/** Asks everything there is to ask. What cannot be asked is left out of the facts, and judged as not known. */
export async function examine(examination: Examination): Promise<Facts> {
  const { connection, settings, topic } = examination
  const seeds = await Promise.all(connection.kafka.brokers.map(address => visit(address, examination)))
  const front = seeds.find(each => each.client)
  const visits = await Promise.all(
    (front?.brokers ?? []).map(async broker => ({
      broker,
      visit: await visit(addressOf(broker), examination),
    })),
  )
  const brokers = await Promise.all(visits.map(each => brokerOf(each.broker, each.visit)))
  const desk = deskOf(front, visits)
  return {
    seeds: seeds.map(each => each.visited),
    brokers,
    settings,
    topic: desk && topic ? await askTopic(desk, topic, settings) : undefined,
    producerId: desk && (await askProducerId(desk)),
    clock: desk ? await askClock(desk) : 'no broker was reached',
  }
}

const addressOf = ({ host, port }: BrokerAddress): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

async function brokerOf({ nodeId }: BrokerAddress, { visited, client }: Visit): Promise<Broker> {
  return { nodeId, visited, settings: client && (await askBrokerSettings(client, nodeId)) }
}

/** Before KRaft, the controller alone takes some questions; else any broker that was reached will do. */
function deskOf(
  front: Visit | undefined,
  visits: readonly { readonly broker: BrokerAddress; readonly visit: Visit }[],
): ClusterClient | undefined {
  const controller = visits.find(({ broker }) => broker.nodeId === front?.controllerId)
  return controller?.visit.client ?? visits.find(each => each.visit.client)?.visit.client ?? front?.client
}

/** Whether anything was reached at all. */
export const wasReached = (visited: readonly Visited[]): boolean => visited.some(isReached)
