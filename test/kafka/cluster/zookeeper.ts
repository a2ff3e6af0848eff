import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Jvm, startJvm } from './jvm.js'
import { classpathOf, type KafkaHome, quiet } from './kafkaHome.js'
import { toProperties } from './settings.js'

const startTimeoutMs = 60_000
/** A session may last from two ticks to twenty. ms */
const tickMs = 500

/** The one ZooKeeper of a cluster, from the jars that brokers of that age bring. */
export async function startZookeeper(home: KafkaHome, parent: string, port: number): Promise<Jvm> {
  const folder = join(parent, 'zookeeper')
  const properties = join(folder, 'zookeeper.properties')
  await mkdir(folder, { recursive: true })
  await writeFile(
    properties,
    toProperties({
      dataDir: join(folder, 'data'),
      clientPort: String(port),
      clientPortAddress: '127.0.0.1',
      tickTime: String(tickMs),
      maxClientCnxns: '0',
      'admin.enableServer': 'false',
    }),
  )
  const settings = ['-Xmx128m', '-Dzookeeper.jmx.log4j.disable=true', ...quiet()]
  const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
  const jvm = await startJvm(
    [...settings, '-cp', await classpathOf(home), main, properties],
    join(folder, 'zookeeper.log'),
  )
  // For the next run, should this one crash.
  await writeFile(join(folder, 'pid'), String(jvm.pid))
  try {
    await jvm.ready('binding to port', startTimeoutMs)
  } catch (error) {
    await jvm.end('SIGKILL', startTimeoutMs)
    throw error
  }
  return jvm
}

/** @param config what tests ask of a broker of KRaft, with its names */
export const zookeeperSettings = (
  id: number,
  port: number,
  zookeeperPort: number,
  config: Readonly<Record<string, string>>,
): Record<string, string> => ({
  'broker.id': String(id),
  'zookeeper.connect': `127.0.0.1:${zookeeperPort}`,
  'zookeeper.session.timeout.ms': config['broker.session.timeout.ms'] ?? String(2 * tickMs),
  listeners: `PLAINTEXT://127.0.0.1:${port}`,
})
