import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Jvm } from './jvm.js'
import { type KafkaHome, kafkaHome } from './kafkaHome.js'
import { kraftSettings } from './kraft.js'
import { claimFolder } from './leftovers.js'
import { LocalNode } from './localNode.js'
import { freePorts } from './ports.js'
import { brokerSettings } from './settings.js'
import type { ClusterOptions, KafkaCluster } from './types.js'
import { startZookeeper, zookeeperSettings } from './zookeeper.js'

export interface LocalClusterOptions extends ClusterOptions {
  /** Settings of one broker over all others, e.g. a further listener; `settings` are those that it would have. */
  readonly settingsOf?: (
    id: number,
    settings: Readonly<Record<string, string>>,
  ) => Readonly<Record<string, string>>
}

/** A cluster of plain Java processes on loopback, in a temporary folder that goes with it. */
export async function startLocalCluster(
  version: string,
  options: LocalClusterOptions = {},
): Promise<KafkaCluster> {
  const home = await kafkaHome(version)
  const count = options.brokers ?? 1
  const ports = await freePorts(2 * count)
  const [clientPorts, otherPorts] = [ports.slice(0, count), ports.slice(count)]
  const folder = await claimFolder(options.owner ?? process.pid)
  let zookeeper: Jvm | undefined
  const nodes: LocalNode[] = []
  const stop = async () => {
    await Promise.all([...nodes.map(node => node.kill()), zookeeper?.end('SIGKILL', 10_000)])
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    if (home.metadata === 'zookeeper') zookeeper = await startZookeeper(home, folder, otherPorts[0]!)
    for (const [i, port] of clientPorts.entries()) {
      const id = i + 1
      const settings = settingsFor(home, id, clientPorts, otherPorts, options)
      const own = { ...settings, ...options.settingsOf?.(id, settings) }
      nodes.push(await LocalNode.create(home, join(folder, `node-${id}`), id, port, own, options))
    }
    // All at once: none is up before most of them have elected a controller.
    await Promise.all(nodes.map(node => node.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return { kind: 'local', bootstrap: nodes.map(node => node.address), nodes, stop }
}

/** @param otherPorts the controllers', or ZooKeeper's */
const settingsFor = (
  { metadata }: KafkaHome,
  id: number,
  ports: readonly number[],
  otherPorts: readonly number[],
  options: ClusterOptions,
): Record<string, string> => {
  const shared = brokerSettings(options)
  const own =
    metadata === 'kraft'
      ? kraftSettings(id, ports, otherPorts)
      : zookeeperSettings(id, ports[id - 1]!, otherPorts[0]!, shared)
  return { ...shared, ...own }
}
