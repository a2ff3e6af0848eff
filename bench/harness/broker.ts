import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, existsSync } from 'node:fs'
import { mkdtemp, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensureJars, JARS } from './install.js'
import { freePort } from './ports.js'
import { removeFolder, run, track, trackFolder } from './process.js'
import { listTopics } from './topics.js'

export interface Broker {
  readonly bootstrap: string
  /** Where its log lies: memory where there is enough, so that no disk decides a comparison of clients. */
  readonly storage: 'memory' | 'disk'
  pause(): void
  resume(): void
  stop(): Promise<void>
}

const GIB = 2 ** 30
const START_TIMEOUT_MS = 60_000
/** What kafka-run-class.sh gives a broker. */
const JVM = ['-server', '-Xms1g', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20']

const logRoot = async (): Promise<{ root: string; storage: Broker['storage'] }> => {
  const memory = '/dev/shm'
  if (existsSync(memory)) {
    const { bavail, bsize } = await statfs(memory)
    if (bavail * bsize >= 8 * GIB) return { root: memory, storage: 'memory' }
  }
  return { root: tmpdir(), storage: 'disk' }
}

const properties = (
  port: number,
  controllerPort: number,
  dir: string,
  config: Record<string, string>,
): string =>
  Object.entries({
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(dir, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // Records of a finished run make room at once.
    'log.segment.delete.delay.ms': '500',
    ...config,
  })
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')

const untilItAnswers = async (bootstrap: string, java: ChildProcess, logFile: string): Promise<void> => {
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    if (java.exitCode !== null) throw new Error(`the broker ended with ${java.exitCode}; its log: ${logFile}`)
    if (await listTopics(bootstrap).catch(() => undefined)) return
    if (Date.now() > deadline)
      throw new Error(`no answer from the broker within ${START_TIMEOUT_MS} ms; ${logFile}`)
    await sleep(200)
  }
}

/** A fresh single-node KRaft broker as a process of this machine, on loopback and free ports. */
const startBroker = async (config: Record<string, string> = {}): Promise<Broker> => {
  const missing = await ensureJars()
  if (missing !== undefined) throw new Error(`no broker to measure on: ${missing}`)
  const { root, storage } = await logRoot()
  const dir = await mkdtemp(join(root, 'bench-kafka-'))
  trackFolder(dir)
  const [port, controllerPort] = [await freePort(), await freePort()]
  const file = join(dir, 'server.properties')
  await writeFile(file, properties(port, controllerPort, dir, config))
  const classes = ['-cp', join(JARS, '*')]
  const id = Buffer.from(dir).toString('base64url').slice(-22)
  const format = await run('java', [...classes, 'kafka.tools.StorageTool', 'format', '-t', id, '-c', file])
  if (format.code !== 0)
    throw new Error(`formatting the broker's storage failed: ${format.stdout}${format.stderr}`)

  const java = track(
    spawn('java', [...JVM, ...classes, 'kafka.Kafka', file], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  const exited = new Promise<void>(resolve => java.once('exit', () => resolve()))
  const logFile = join(dir, 'broker.log')
  const log = createWriteStream(logFile)
  java.stdout.pipe(log, { end: false })
  java.stderr.pipe(log, { end: false })
  const bootstrap = `127.0.0.1:${port}`
  await untilItAnswers(bootstrap, java, logFile)
  return {
    bootstrap,
    storage,
    pause: () => java.kill('SIGSTOP'),
    resume: () => java.kill('SIGCONT'),
    async stop() {
      java.kill('SIGKILL')
      await exited
      log.end()
      await removeFolder(dir)
    },
  }
}

/** A fresh broker for `use`, stopped whatever happens. */
export const withBroker = async <T>(
  config: Record<string, string>,
  use: (broker: Broker) => Promise<T>,
): Promise<T> => {
  const broker = await startBroker(config)
  try {
    return await use(broker)
  } finally {
    await broker.stop()
  }
}
