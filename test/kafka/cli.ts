import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { removeLeftovers, startCluster } from './cluster/index.js'
import { isAlive } from './cluster/leftovers.js'
import { findDocker, findLocal } from './cluster/source.js'
import type { ClusterOptions, KafkaCluster } from './cluster/types.js'

const usage = `node test/kafka/broker.mjs [options] [-- command ...]

Starts a fresh real Kafka and prints KAFKA_BROKERS=host:port,... once it serves requests. It runs until SIGINT or SIGTERM, or until
the command ends, which gets KAFKA_BROKERS in its environment.

  --docker           a container; the default is a Java process, and a container where there is no Java
  --brokers N        default 1; from 3 on replication 3, min.insync.replicas 2
  --config KEY=VALUE a broker setting; may be repeated
  --throughput       fully compiled, 1 GiB of heap: for measurements`

/** @returns the exit status */
export async function main(argv: readonly string[]): Promise<number> {
  const separator = argv.indexOf('--')
  const command = separator < 0 ? [] : argv.slice(separator + 1)
  const { values } = parseArgs({
    args: separator < 0 ? [...argv] : argv.slice(0, separator),
    options: {
      docker: { type: 'boolean' },
      brokers: { type: 'string', default: '1' },
      config: { type: 'string', multiple: true, default: [] },
      throughput: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const interrupted = new Promise<number>(resolve => {
    process.once('SIGINT', () => resolve(130))
    process.once('SIGTERM', () => resolve(143))
  })
  await removeLeftovers('local', owner => !isAlive(owner))
  const cluster = await start(values.docker ? [findDocker] : [findLocal, findDocker], {
    brokers: Number(values.brokers),
    config: Object.fromEntries(values.config.map(pair => splitAt(pair, pair.indexOf('=')))),
    ...(values.throughput ? { tuning: 'throughput' } : {}),
  })
  try {
    const brokers = cluster.bootstrap.join(',')
    console.log(`KAFKA_BROKERS=${brokers}`)
    return await Promise.race([
      interrupted,
      command.length > 0 ? runCommand(command, brokers) : new Promise<never>(stayAwake),
    ])
  } finally {
    await cluster.stop()
  }
}

async function start(finders: readonly (typeof findLocal)[], options: ClusterOptions): Promise<KafkaCluster> {
  const reasons: string[] = []
  for (const find of finders) {
    const found = await find(line => console.error(line))
    if ('source' in found) return startCluster(found.source, options)
    reasons.push(found.reason)
  }
  throw new Error(`no Kafka to be had: ${reasons.join('; ')}`)
}

const runCommand = ([program = '', ...args]: readonly string[], brokers: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, KAFKA_BROKERS: brokers } })
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })

const splitAt = (pair: string, at: number): [string, string] => {
  if (at < 1) throw new Error(`--config ${pair}: not KEY=VALUE`)
  return [pair.slice(0, at), pair.slice(at + 1)]
}

/** A pending promise does not keep Node alive; a timer does. */
const stayAwake = () => void setInterval(() => undefined, 2 ** 30)
