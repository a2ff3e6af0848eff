import { hasCommand, hasJars, kafkaHome } from './kafkaHome.js'
import type { ClusterSource } from './types.js'
import { defaultKafkaVersion } from './version.js'

/** A source of brokers, or why there is none. */
export type Found = { readonly source: ClusterSource } | { readonly reason: string }

const publicImage = 'confluentinc/cp-kafka:8.0.0'
const builtImage = 'local/cp-kafka:8.0.0'

/** Is told of steps that may take long. */
type Say = (line: string) => void

/** Docker with an image at hand or pulled within `KAFKA_PULL_TIMEOUT_MS` (default 90,000). Never throws, always ends. */
export async function findDocker(say: Say, env: NodeJS.ProcessEnv = process.env): Promise<Found> {
  try {
    const { dockerEngine, hasImage, pullImage } = await import('./docker.js')
    const engine = await dockerEngine(10_000).catch(() => undefined)
    if (!engine) return { reason: 'no Docker engine answers' }
    const wanted = env.KAFKA_IMAGE ? [env.KAFKA_IMAGE] : [builtImage, publicImage]
    for (const image of wanted)
      if (await hasImage(engine, image)) return { source: { kind: 'docker', image } }
    const image = wanted.at(-1) ?? publicImage
    say(`Pulling ${image} ...`)
    const failure = await pullImage(engine, image, Number(env.KAFKA_PULL_TIMEOUT_MS ?? 90_000)).catch(
      (error: Error) => error,
    )
    return failure
      ? { reason: `the image ${image} cannot be had: ${firstLine(failure)}` }
      : { source: { kind: 'docker', image } }
  } catch (error) {
    return { reason: `Docker: ${firstLine(error)}` }
  }
}

/** Plain broker processes: Java, and Kafka's jars from the cache or by Maven. Never throws, always ends. */
export async function findLocal(say: Say, env: NodeJS.ProcessEnv = process.env): Promise<Found> {
  const version = env.KAFKA_VERSION ?? defaultKafkaVersion
  if (!(await hasCommand('java', '-version'))) return { reason: 'no Java' }
  if (!hasJars(version) && !(await hasCommand('mvn', '-v')))
    return { reason: "no Maven to fetch Kafka's jars" }
  if (!hasJars(version)) say(`Fetching Kafka ${version} by Maven, once ...`)
  try {
    await kafkaHome(version)
    return { source: { kind: 'local', version } }
  } catch (error) {
    return { reason: `Kafka's jars cannot be had or do not run: ${firstLine(error)}` }
  }
}

const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? ''
