import { Command, CommanderError } from 'commander'
import { type DoctorFlags, doctor } from './commands/doctor/doctor.js'
import { addDoctorFlags } from './commands/doctor/flags.js'
import { addEmbeddedFlags, type EmbeddedFlags, embedded } from './commands/embedded.js'
import { addProduceFlags, type ProduceFlags } from './commands/produce/flags.js'
import { produce } from './commands/produce/produce.js'
import { addReportFlags, type ReportFlags } from './commands/report/flags.js'
import { report } from './commands/report/report.js'
import { addTopFlags, type TopFlags } from './commands/top/flags.js'
import { top } from './commands/top/top.js'
import { addTopicsFlags } from './commands/topics/flags.js'
import { applyTopics, planTopics, type TopicsFlags } from './commands/topics/topics.js'
import { ExitCode } from './process/exit.js'
import type { Io } from './process/io.js'
import { supervise } from './process/supervise.js'

interface Job {
  readonly verbose: boolean
  run(signal: AbortSignal): Promise<number>
}

const EXIT_STATUS = `
Exit status:
  0    everything was delivered
  1    a record was not delivered, a line was malformed, or the brokers could not be used
  2    the command line or the configuration is wrong
  130  ended by SIGINT (143: SIGTERM) after delivering what had been read
  141  whoever read the output has gone`

const EXAMPLES = `
Examples:
  npx resilient-producer produce -b localhost:9092 --topic events < events.ndjson
  npx resilient-producer produce -b localhost:9092 --topic-field kind --topic-prefix shop. --key-field id *.ndjson
`

/** Runs the command line `argv` (without node and the script) and resolves to the exit status. */
export async function run(argv: readonly string[], version: string, io: Io): Promise<number> {
  let job: Job | undefined
  const program = createProgram(version, io, chosen => {
    job = chosen
  })
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  }
  return job ? supervise(io, job, job.run) : ExitCode.usage
}

function createProgram(version: string, io: Io, choose: (job: Job) => void): Command {
  const program = new Command('resilient-producer')
    .description('Writes to Kafka topics, including those that do not exist yet.')
    .version(version)
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false })
  // Before the commands: they take it over.
  exitThroughRun(program, io)

  addProduceFlags(program.command('produce'))
    .description('Write newline-delimited JSON from files or standard input to topics.')
    .addHelpText('after', EXIT_STATUS)
    .addHelpText('after', EXAMPLES)
    .action((files: string[], flags: ProduceFlags) =>
      choose({ verbose: flags.verbose === true, run: signal => produce(files, flags, io, signal) }),
    )
  const topics = program
    .command('topics')
    .description('Hold a cluster’s topics to a file that declares them.')
    .helpCommand(false)
  for (const [name, description, act] of [
    ['plan', 'Show how the cluster differs from the file.', planTopics],
    ['apply', 'Make and change what differs, deleting nothing.', applyTopics],
  ] as const) {
    addTopicsFlags(topics.command(name))
      .description(description)
      .action((file: string, flags: TopicsFlags) =>
        choose({ verbose: flags.verbose === true, run: signal => act(file, flags, io, signal) }),
      )
  }
  addDoctorFlags(program.command('doctor'))
    .description('Look at a cluster, and say what would keep a producer from its work. Writes nothing.')
    .action((flags: DoctorFlags) =>
      choose({ verbose: flags.verbose === true, run: signal => doctor(flags, io, signal) }),
    )
  addTopFlags(program.command('top'))
    .description('Show live what the producers of running services do, from their metrics.')
    .action((flags: TopFlags) =>
      choose({ verbose: flags.verbose === true, run: signal => top(flags, io, signal) }),
    )
  addReportFlags(program.command('report'))
    .description(
      'Write a page with plots of what producers did between two or more scrapes of their metrics.',
    )
    .action((files: string[], flags: ReportFlags) =>
      choose({ verbose: flags.verbose === true, run: signal => report(files, flags, io, signal) }),
    )
  addEmbeddedFlags(program.command('embedded'))
    .description('Run a Kafka cluster in memory, for trials and tests.')
    .action((flags: EmbeddedFlags) =>
      choose({ verbose: flags.verbose === true, run: signal => embedded(flags, io, signal) }),
    )
  return program
}

/** Help and complaints go to the given streams, and no parser ends the process. */
function exitThroughRun(program: Command, io: Io): Command {
  return program.exitOverride().configureOutput({
    writeOut: text => void io.stdout.write(text),
    writeErr: text => void io.stderr.write(text),
    getOutHelpWidth: () => Math.min(io.stdout.columns ?? 100, 120),
    getErrHelpWidth: () => Math.min(io.stderr.columns ?? 100, 120),
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  })
}
