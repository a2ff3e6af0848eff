import { once } from 'node:events'
import type { Command } from 'commander'
import { Option } from 'commander'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { positive } from '../numbers.js'
import { ExitCode, UsageError } from '../process/exit.js'
import type { Io } from '../process/io.js'
import { plural } from '../terminal/format.js'

/** Nobody reads the journal of a process; it must not grow with its life. */
const JOURNAL_ENTRIES = 100

export interface EmbeddedFlags {
  readonly brokers: number
  readonly port?: number
  readonly partitions: number
  readonly autoCreate: 'kraft' | 'zk' | 'off'
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export function addEmbeddedFlags(command: Command): Command {
  return command
    .addOption(new Option('--brokers <count>', 'brokers of the cluster').argParser(positive).default(1))
    .option('--port <port>', 'the first broker’s port, the others follow (default: free ones)', positive)
    .addOption(new Option('--partitions <count>', 'of a topic created by use').argParser(positive).default(1))
    .addOption(
      new Option('--auto-create <style>', 'what is answered while a topic is created by use')
        .choices(['kraft', 'zk', 'off'])
        .default('kraft'),
    )
    .option('-q, --quiet', 'print the addresses only')
    .option('-v, --verbose', 'print stacks of failures')
}

/** `resilient-producer embedded`: a cluster in this process's memory, until it is stopped. Resolves to the exit status. */
export async function embedded(flags: EmbeddedFlags, io: Io, signal: AbortSignal): Promise<number> {
  const { brokers, port, partitions, autoCreate } = flags
  if (port !== undefined && port + brokers - 1 > 65_535)
    throw new UsageError('the ports would end beyond 65535')
  const cluster = await EmbeddedKafka.start({
    brokers,
    ...(port === undefined ? {} : { basePort: port }),
    autoCreate: autoCreate === 'off' ? false : { style: autoCreate, partitions },
    journalLimit: JOURNAL_ENTRIES,
  }).catch(error => {
    throw portProblem(error) ?? error
  })
  io.stdout.write(`${cluster.bootstrap.join(',')}\n`)
  if (!flags.quiet) {
    io.stderr.write(`${plural(brokers, 'broker')} in memory; Ctrl-C ends them and forgets every record\n`)
  }
  if (!signal.aborted) await once(signal, 'abort')
  await cluster.close({ clients: 'may-stay' })
  return ExitCode.ok
}

/** Why a port cannot be had, with what to do; undefined for another error. */
function portProblem(error: unknown): Error | undefined {
  const { code, port } = error as { readonly code?: unknown; readonly port?: unknown }
  if (code === 'EADDRINUSE')
    return new Error(
      `port ${port} is in use: choose another with --port, leave --port out for a free one, or stop what listens there`,
      { cause: error },
    )
  if (code === 'EACCES')
    return new Error(`port ${port} may not be used by this user: choose one from 1024 on with --port`, {
      cause: error,
    })
  return undefined
}
