import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Jvm, startJvm } from './jvm.js'
import { classpathOf, type KafkaHome, quiet } from './kafkaHome.js'
import { fillKraftFolder } from './kraft.js'
import { startedLine } from './prepare.js'
import { jvmOptions, toProperties } from './settings.js'
import type { ClusterOptions, KafkaNode } from './types.js'

const startTimeoutMs = 90_000

/** One broker as a Java process, in a folder of its own. */
export class LocalNode implements KafkaNode {
  readonly address: string
  readonly #folder: string
  readonly #args: readonly string[]
  readonly #home: KafkaHome
  #jvm: Jvm | undefined
  #starts = 0

  private constructor(
    readonly id: number,
    port: number,
    folder: string,
    args: readonly string[],
    home: KafkaHome,
  ) {
    this.address = `127.0.0.1:${port}`
    this.#folder = folder
    this.#args = args
    this.#home = home
  }

  static async create(
    home: KafkaHome,
    folder: string,
    id: number,
    port: number,
    settings: Readonly<Record<string, string>>,
    options: ClusterOptions,
  ): Promise<LocalNode> {
    const data = join(folder, 'data')
    const properties = join(folder, 'server.properties')
    await mkdir(data, { recursive: true })
    if (home.metadata === 'kraft') await fillKraftFolder(home, data, id)
    await writeFile(properties, toProperties({ 'log.dirs': data, ...settings }))
    const { heap, performance } = jvmOptions(options.tuning)
    const jvm = [...heap, ...performance, `-XX:SharedArchiveFile=${home.classes}`, '-Xshare:auto']
    const broker = ['-cp', await classpathOf(home), ...quiet(), 'kafka.Kafka', properties]
    return new LocalNode(id, port, folder, [...jvm, ...broker], home)
  }

  async start(): Promise<void> {
    const isRestart = this.#starts > 0
    // ZooKeeper may still have the session of the broker that was killed: the new one then ends itself, once.
    await this.#startOnce().catch(error => {
      if (!isRestart || this.#home.metadata !== 'zookeeper') throw error
      return this.#startOnce()
    })
  }

  async #startOnce(): Promise<void> {
    this.#jvm = await startJvm(this.#args, join(this.#folder, `kafka-${++this.#starts}.log`))
    // For the next run, should this one crash.
    await writeFile(join(this.#folder, 'pid'), String(this.#jvm.pid))
    await this.#jvm.ready(startedLine(this.#home), startTimeoutMs)
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
