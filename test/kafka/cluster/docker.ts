import { hostname } from 'node:os'
import { KafkaContainer, type StartedKafkaContainer } from '@testcontainers/kafka'
import {
  type ContainerRuntimeClient,
  getContainerRuntimeClient,
  ImageName,
  Network,
  Wait,
} from 'testcontainers'
import { freePorts } from './ports.js'
import { brokerSettings, jvmOptions, toEnvironment } from './settings.js'
import type { ClusterOptions, KafkaCluster, KafkaNode } from './types.js'
import { until, within } from './wait.js'

// Testcontainers' own reaper is one more image to pull. What a crashed run leaves is found by its labels instead (removeDockerLeftovers).
process.env.TESTCONTAINERS_RYUK_DISABLED ??= 'true'

const ownerLabel = 'kafkajs-resilient-producer.owner'
const hostLabel = 'kafkajs-resilient-producer.host'
const nodeLabel = 'kafkajs-resilient-producer.node'
const clientPort = 9093
const startTimeoutMs = 90_000

/** The engine, or an error within `timeoutMs`. */
export const dockerEngine = (timeoutMs: number): Promise<ContainerRuntimeClient> =>
  within(timeoutMs, 'asking for a Docker engine', getContainerRuntimeClient())

export async function hasImage(engine: ContainerRuntimeClient, image: string): Promise<boolean> {
  return engine.image.exists(ImageName.fromString(image))
}

/** Pulls an image, or fails within `timeoutMs`. */
export async function pullImage(
  engine: ContainerRuntimeClient,
  image: string,
  timeoutMs: number,
): Promise<void> {
  const pull = engine.image.pull(ImageName.fromString(image), { force: false, platform: undefined })
  await within(timeoutMs, `pulling ${image}`, pull)
}

/** A cluster of containers; each broker has a fixed port of the host, so that it can come back where clients know it. */
export async function startDockerCluster(image: string, options: ClusterOptions = {}): Promise<KafkaCluster> {
  const engine = await dockerEngine(10_000)
  const count = options.brokers ?? 1
  const labels = { [ownerLabel]: String(options.owner ?? process.pid), [hostLabel]: hostname() }
  const ports = await freePorts(count)
  // A single broker needs no network of its own: it finds its controller on its loopback.
  const network = count > 1 ? await new Network().start() : undefined
  const voters = ports.map((_, i) => `${i + 1}@broker-${i + 1}:9094`).join(',')
  const started: StartedKafkaContainer[] = []
  const stop = async () => {
    await Promise.all(started.map(container => container.stop().catch(() => undefined)))
    await network?.stop().catch(() => undefined)
  }
  const start = async (port: number, id: number) => {
    const container = new ClusterContainer(image, port, {
      ...toEnvironment(brokerSettings(options)),
      ...(network ? { KAFKA_CONTROLLER_QUORUM_VOTERS: voters } : {}),
    })
      .withEnvironment({ KAFKA_BROKER_ID: String(id), ...javaEnvironment(options) })
      .withLabels({ ...labels, [nodeLabel]: String(id) })
      .withWaitStrategy(Wait.forLogMessage(/Kafka Server started/))
      .withStartupTimeout(startTimeoutMs)
    if (network) container.withNetwork(network).withNetworkAliases(`broker-${id}`)
    started.push(await container.start())
  }
  const starts = await Promise.allSettled(ports.map((port, i) => start(port, i + 1)))
  const failed = starts.find(result => result.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  const nodes = started.map(container => dockerNode(engine, container)).sort((a, b) => a.id - b.id)
  return { kind: 'docker', bootstrap: nodes.map(node => node.address), nodes, stop }
}

function javaEnvironment(options: ClusterOptions): Record<string, string> {
  const { heap, performance } = jvmOptions(options.tuning)
  return { KAFKA_HEAP_OPTS: heap.join(' '), KAFKA_JVM_PERFORMANCE_OPTS: performance.join(' ') }
}

/** KafkaContainer sets the environment of a one-node cluster and a random host port last of all; ours come after it. */
class ClusterContainer extends KafkaContainer {
  readonly #port: number
  readonly #settings: Record<string, string>

  constructor(image: string, port: number, settings: Record<string, string>) {
    super(image)
    this.#port = port
    this.#settings = settings
    this.withKraft()
  }

  protected override async beforeContainerCreated(): Promise<void> {
    await super.beforeContainerCreated()
    this.withEnvironment(this.#settings).withExposedPorts({ container: clientPort, host: this.#port })
  }
}

function dockerNode(engine: ContainerRuntimeClient, started: StartedKafkaContainer): KafkaNode {
  const container = engine.container.getById(started.getId())
  return {
    id: Number(started.getLabels()[nodeLabel]),
    address: `${started.getHost()}:${started.getMappedPort(clientPort)}`,
    async kill() {
      await container.kill({ signal: 'SIGKILL' })
      await container.wait()
    },
    async start() {
      await container.start()
      const since = Date.parse((await container.inspect()).State.StartedAt) / 1000
      const look = async () => {
        const output = await container.logs({ stdout: true, stderr: true, since, follow: false })
        return output.includes('Kafka Server started') ? true : undefined
      }
      await until('the broker', look, { timeoutMs: startTimeoutMs, everyMs: 200 })
    },
    pause: () => container.pause(),
    resume: () => container.unpause(),
  }
}

/** Removes the containers, and their networks, of this host's runs for which `isOver` holds. */
export async function removeDockerLeftovers(
  engine: ContainerRuntimeClient,
  isOver: (owner: number) => boolean,
): Promise<number> {
  const { dockerode } = engine.container
  const ours = await dockerode.listContainers({
    all: true,
    filters: { label: [`${hostLabel}=${hostname()}`] },
  })
  const left = ours.filter(container => isOver(Number(container.Labels[ownerLabel])))
  // Another run that starts now may be removing the very same ones.
  const ignore = () => undefined
  await Promise.all(
    left.map(({ Id }) => dockerode.getContainer(Id).remove({ force: true, v: true }).catch(ignore)),
  )
  const networks = new Set(left.flatMap(container => Object.keys(container.NetworkSettings.Networks)))
  networks.delete('bridge')
  await Promise.all([...networks].map(network => dockerode.getNetwork(network).remove().catch(ignore)))
  return left.length
}
