import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Jvm, startJvm } from './jvm.js'
import type { KafkaHome } from './kafkaHome.js'
import { classpathOf, quiet } from './kafkaHome.js'
import { formatKraft, kraftSettings } from './kraft.js'
import { freePorts } from './ports.js'
import { brokerSettings, toProperties } from './settings.js'
import { startZookeeper, zookeeperSettings } from './zookeeper.js'

const startTimeoutMs = 60_000

/** The line that a broker logs once it serves requests. */
export const startedLine = ({ metadata }: KafkaHome): string =>
  metadata === 'kraft' ? 'Kafka Server started' : 'started (kafka.server.KafkaServer)'

/** Runs a broker once, to archive the classes that it loads, and keeps what formatting a log folder gives. */
export async function prepare(home: KafkaHome, folder: string): Promise<void> {
  const [port = 0, otherPort = 0] = await freePorts(2)
  const logs = join(folder, 'logs')
  await mkdir(logs)
  let zookeeper: Jvm | undefined
  try {
    if (home.metadata === 'zookeeper') zookeeper = await startZookeeper(home, folder, otherPort)
    const settings = {
      ...brokerSettings({}),
      ...(zookeeper ? zookeeperSettings(1, port, otherPort, {}) : kraftSettings(1, [port], [otherPort])),
      'log.dirs': logs,
    }
    const properties = join(folder, 'server.properties')
    await writeFile(properties, toProperties(settings))
    if (home.metadata === 'kraft') {
      await formatKraft(home, properties)
      await keepBootstrap(logs, join(folder, 'bootstrap'))
    }
    await runOnce(home, folder, properties)
  } finally {
    await zookeeper?.end('SIGKILL', startTimeoutMs)
    await rm(join(folder, 'zookeeper'), { recursive: true, force: true })
  }
  await rm(logs, { recursive: true })
}

/** All that formatting wrote but the node's own ids: a file of its own, or since Kafka 4.4 the metadata log's first snapshot. */
async function keepBootstrap(logs: string, bootstrap: string): Promise<void> {
  await cp(logs, bootstrap, { recursive: true })
  await rm(join(bootstrap, 'meta.properties'))
}

async function runOnce(home: KafkaHome, folder: string, properties: string): Promise<void> {
  const archive = `-XX:ArchiveClassesAtExit=${join(folder, 'kafka.jsa')}`
  const broker = await startJvm(
    [archive, '-cp', await classpathOf(home), ...quiet(), 'kafka.Kafka', properties],
    join(folder, 'kafka.log'),
  )
  try {
    await broker.ready(startedLine(home), startTimeoutMs)
  } finally {
    await broker.end('SIGTERM', 30_000)
  }
}
