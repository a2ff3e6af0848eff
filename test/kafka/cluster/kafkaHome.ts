import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { prepare } from './prepare.js'
import { projectFile } from './projectFile.js'
import { isOlder } from './version.js'

const run = promisify(execFile)

/** Kafka's jars on this machine, and what makes a broker start quickly from them. */
export interface KafkaHome {
  readonly version: string
  /** Where brokers keep what they know together: of old ones KRaft was a preview without transactions. */
  readonly metadata: 'kraft' | 'zookeeper'
  readonly jars: string
  /**
   * What formatting a log folder writes of the cluster's feature levels: the same for every node of KRaft, so that starting one needs no
   * StorageTool (a JVM, 2 s).
   */
  readonly bootstrap: string
  /** Java's archive of Kafka's loaded classes (AppCDS): halves the time to start. */
  readonly classes: string
}

/** Another name whenever what is prepared changes: caches outlive the sources. */
const PREPARED = 'prepared-2'

const cacheFolder = (version: string) =>
  join(
    process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
    'kafkajs-resilient-producer',
    `kafka-${version}`,
  )

export async function hasCommand(command: string, ...args: string[]): Promise<boolean> {
  return run(command, args, { timeout: 20_000 }).then(
    () => true,
    () => false,
  )
}

export const jarsFolder = (version: string): string => join(cacheFolder(version), 'jars')

export const hasJars = (version: string): boolean => existsSync(jarsFolder(version))

/**
 * Fetches Kafka's jars by Maven and prepares them, once per machine and version; later calls return at once.
 *
 * @param timeoutMs bounds the download. Default 3 minutes.
 */
export async function kafkaHome(version: string, timeoutMs = 180_000): Promise<KafkaHome> {
  const folder = cacheFolder(version)
  const home: KafkaHome = {
    version,
    // KRaft was fit for production from 3.3 on.
    metadata: isOlder(version, '3.3') ? 'zookeeper' : 'kraft',
    jars: jarsFolder(version),
    bootstrap: join(folder, PREPARED, 'bootstrap'),
    classes: join(folder, PREPARED, 'kafka.jsa'),
  }
  await mkdir(folder, { recursive: true })
  if (!existsSync(home.jars))
    await intoPlace(folder, home.jars, fresh => fetchJars(version, fresh, timeoutMs))
  if (!existsSync(home.classes)) {
    await intoPlace(folder, join(folder, PREPARED), fresh => prepare(home, fresh))
  }
  return home
}

/** Fills a folder aside, then renames it: neither a crash nor another run doing the same leaves a half-filled one behind. */
async function intoPlace(
  parent: string,
  place: string,
  fill: (folder: string) => Promise<void>,
): Promise<void> {
  const fresh = await mkdtemp(join(parent, 'fresh-'))
  try {
    await fill(fresh)
    await rename(fresh, place).catch(error => {
      if (!existsSync(place)) throw error
    })
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function fetchJars(version: string, folder: string, timeoutMs: number): Promise<void> {
  const pom = projectFile('test/kafka/image/pom.xml')
  const scala = isOlder(version, '2.4') ? ['-Dkafka.scala=2.12'] : []
  const goal = [
    'dependency:copy-dependencies',
    `-Dkafka.version=${version}`,
    `-DoutputDirectory=${folder}`,
    ...scala,
  ]
  await run('mvn', ['-q', '-B', '-f', pom, ...goal, '-Dmdep.useBaseVersion=true'], { timeout: timeoutMs })
}

/** In a fixed order: the archive of classes is taken only by a JVM with the very same class path. */
export async function classpathOf(home: KafkaHome): Promise<string> {
  const names = (await readdir(home.jars)).filter(name => name.endsWith('.jar')).sort()
  return names.map(name => join(home.jars, name)).join(process.platform === 'win32' ? ';' : ':')
}

export const quiet = (): string[] => [
  `-Dlog4j.configuration=file:${projectFile('test/kafka/cluster/log4j.properties')}`,
  `-Dlog4j2.configurationFile=${projectFile('test/kafka/image/context/log4j2.properties')}`,
]
