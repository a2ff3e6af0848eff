import { removeLeftovers } from '../kafka/cluster/index.js'
import { isAlive } from '../kafka/cluster/leftovers.js'
import { findLocal } from '../kafka/cluster/source.js'
import { startChaosCluster } from './cluster/chaosCluster.js'
import { DRIVERS, type DriverName, missing } from './drivers/index.js'
import { type ChaosOptions, parseOptions, USAGE } from './options.js'
import { details, figures } from './report/tables.js'
import { broken } from './report/verdict.js'
import { type RunReport, runScenario } from './run.js'
import type { Scenario } from './scenarios/scenario.js'
import { startApart } from './worker/apart.js'

const say = (line: string): void => {
  process.stderr.write(`${line}\n`)
}

const play = async (
  scenario: Scenario,
  client: DriverName,
  options: ChaosOptions,
  version: string,
): Promise<RunReport> => {
  const cluster = await startChaosCluster({ version, partitions: options.partitions, ...scenario.cluster })
  try {
    return await runScenario(scenario, cluster, { ...options, say }, (driver, plan) =>
      startApart({ client, options: driver, plan }),
    )
  } finally {
    await cluster.stop()
  }
}

/** @returns the exit status */
const main = async (args: readonly string[]): Promise<number> => {
  const options = parseOptions(args)
  if (options === undefined) {
    console.log(USAGE)
    return 0
  }
  await removeLeftovers('local', owner => !isAlive(owner))
  const kafka = await findLocal(say)
  if ('reason' in kafka || kafka.source.kind !== 'local') {
    throw new Error(`no brokers to be had: ${'reason' in kafka ? kafka.reason : kafka.source.kind}`)
  }
  const runs: { client: string; report: RunReport }[] = []
  let status = 0
  for (const scenario of options.scenarios) {
    for (const client of options.clients) {
      const reason = missing(client)
      const { label } = DRIVERS[client]
      if (reason !== undefined) {
        say(`# ${scenario.name}, ${client}: skipped, ${reason}`)
        continue
      }
      say(`# ${scenario.name}, ${client}, seed ${options.seed}`)
      try {
        const report = await play(scenario, client, options, kafka.source.version)
        runs.push({ client: label, report })
        console.log(`${details(label, report)}\n`)
        if (client.startsWith('ours') && broken(report).length > 0) status = 1
      } catch (error) {
        // A client that crashes or hangs is a result, too; the others still run.
        const reason = error instanceof Error ? error.message : String(error)
        console.log(`### ${scenario.name}, ${label}\n\n**It broke off: ${reason}**\n`)
        if (client.startsWith('ours')) status = 1
      }
    }
  }
  console.log(figures(runs))
  return status
}

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  // Brokers and clients are ended as the process exits.
  process.once(signal, () => process.exit(status))
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
}
