import { connect } from 'node:net'
import type { TestProject } from 'vitest/node'
import { removeLeftovers, startCluster } from '../kafka/cluster/index.js'
import { isAlive } from '../kafka/cluster/leftovers.js'
import { findDocker, findLocal } from '../kafka/cluster/source.js'
import type { ClusterSource, KafkaCluster } from '../kafka/cluster/types.js'
import { within } from '../kafka/cluster/wait.js'
import { chooseKafka, describeChoice, type KafkaForTests } from './choose.js'

declare module 'vitest' {
  interface ProvidedContext {
    kafka: KafkaForTests
  }
}

/** Beyond the start's own bounds: for an engine that takes a request and never answers. */
const startTimeoutMs = 150_000

/** Vitest's global setup of the tests on a real Kafka: finds the best broker there is, once for the run, and removes it at the end. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const owner = process.pid
  const say = (line: string) => console.log(line)
  let shared: KafkaCluster | undefined
  let hasDocker = false
  await removeLeftovers('local', run => !isAlive(run))
  const kafka = await chooseKafka(process.env, owner, {
    findDocker: async () => {
      const found = await findDocker(say)
      hasDocker = 'source' in found
      if (hasDocker) await removeLeftovers('docker', run => !isAlive(run))
      return found
    },
    findLocal: () => findLocal(say),
    start: async (source: ClusterSource) => {
      // Not the quick session time-out of clusters that are killed and started again: here a starved machine would only fence a healthy broker.
      const start = startCluster(source, { owner, config: { 'broker.session.timeout.ms': '9000' } })
      shared = await within(startTimeoutMs, 'starting a broker', start)
      return shared.bootstrap
    },
    reach: async bootstrap => {
      await Promise.any(bootstrap.map(reachable)).catch(() => {
        throw new Error('no broker answers')
      })
    },
  })
  console.log(`\n${describeChoice(kafka)}\n`)
  project.provide('kafka', kafka)

  return async () => {
    await shared?.stop()
    await removeLeftovers(hasDocker ? 'docker' : 'local', run => run === owner)
  }
}

const reachable = (address: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const { hostname, port } = new URL(`tcp://${address}`)
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port), timeout: 5_000 })
    socket.once('connect', resolve).once('error', reject)
    socket.once('timeout', () => reject(new Error('timeout')))
    socket.once('connect', () => socket.destroy()).once('timeout', () => socket.destroy())
  })
