import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Jvm, startJvm } from './jvm.js'
import { classpathOf, clusterId, type KafkaHome, kafkaHome, quiet, started } from './kafkaHome.js'
import { claimFolder } from './leftovers.js'
import { freePorts } from './ports.js'
import { brokerSettings, jvmOptions, toProperties } from './settings.js'
import type { ClusterOptions, KafkaCluster, KafkaNode } from './types.js'

const startTimeoutMs = 90_000

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
  const folder = await claimFolder(options.owner ?? process.pid)
  const voters = range(count).map(i => `${i + 1}@127.0.0.1:${ports[count + i]}`)
  const nodes: LocalNode[] = []
  const stop = async () => {
    await Promise.all(nodes.map(node => node.kill()))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const i of range(count)) {
      const settings = {
        ...brokerSettings(options),
        'controller.quorum.voters': voters.join(','),
        listeners: `PLAINTEXT://127.0.0.1:${ports[i]},CONTROLLER://127.0.0.1:${ports[count + i]}`,
      }
      const own = { ...settings, ...options.settingsOf?.(i + 1, settings) }
      nodes.push(
        await LocalNode.create(home, join(folder, `node-${i + 1}`), i + 1, ports[i] ?? 0, own, options),
      )
    }
    // All at once: none is up before most of them have elected a controller.
    await Promise.all(nodes.map(node => node.start()))
  } catch (error) {
    await stop()
    throw error
  }
  return { kind: 'local', bootstrap: nodes.map(node => node.address), nodes, stop }
}

const range = (count: number) => Array.from({ length: count }, (_, i) => i)

class LocalNode implements KafkaNode {
  readonly address: string
  readonly #folder: string
  readonly #args: readonly string[]
  #jvm: Jvm | undefined
  #starts = 0

  private constructor(
    readonly id: number,
    port: number,
    folder: string,
    args: readonly string[],
  ) {
    this.address = `127.0.0.1:${port}`
    this.#folder = folder
    this.#args = args
  }

  static async create(
    home: KafkaHome,
    folder: string,
    id: number,
    port: number,
    settings: Record<string, string>,
    options: ClusterOptions,
  ): Promise<LocalNode> {
    const data = join(folder, 'data')
    const properties = join(folder, 'server.properties')
    await mkdir(data, { recursive: true })
    await copyFile(home.bootstrapCheckpoint, join(data, 'bootstrap.checkpoint'))
    // What `StorageTool format` would write: the folder's own id is 16 random bytes, the rest is known.
    const directoryId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
      .toString('base64url')
      .replace(/^-/, 'A')
    await writeFile(
      join(data, 'meta.properties'),
      toProperties({
        version: '1',
        'cluster.id': clusterId,
        'node.id': String(id),
        'directory.id': directoryId,
      }),
    )
    await writeFile(
      properties,
      toProperties({
        'process.roles': 'broker,controller',
        'node.id': String(id),
        'controller.listener.names': 'CONTROLLER',
        'log.dirs': data,
        ...settings,
      }),
    )
    const { heap, performance } = jvmOptions(options.tuning)
    const jvm = [...heap, ...performance, `-XX:SharedArchiveFile=${home.classes}`, '-Xshare:auto']
    return new LocalNode(id, port, folder, [
      ...jvm,
      '-cp',
      await classpathOf(home),
      ...quiet(),
      'kafka.Kafka',
      properties,
    ])
  }

  async start(): Promise<void> {
    this.#jvm = await startJvm(this.#args, join(this.#folder, `kafka-${++this.#starts}.log`))
    // For the next run, should this one crash.
    await writeFile(join(this.#folder, 'pid'), String(this.#jvm.pid))
    await this.#jvm.ready(started, startTimeoutMs)
  }

  async kill(): Promise<void> {
    await this.#jvm?.end('SIGKILL', startTimeoutMs)
  }

  async pause(): Promise<void> {
    this.#jvm?.signal('SIGSTOP')
  }

  async resume(): Promise<void> {
    this.#jvm?.signal('SIGCONT')
  }
}
