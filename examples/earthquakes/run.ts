import { randomUUID } from 'node:crypto'
import { Command, CommanderError } from 'commander'
import { Kafka } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { addConnectionFlags, type ConnectionFlags } from '../../src/cli/connection/flags.js'
import { type Connection, resolveConnection } from '../../src/cli/connection/resolve.js'
import { ExitCode } from '../../src/cli/exit.js'
import type { Io } from '../../src/cli/io.js'
import { clientLog } from '../../src/cli/logs.js'
import { exitThroughRun } from '../../src/cli/program.js'
import { supervise } from '../../src/cli/supervise.js'
import { formatCount, plural, printable } from '../../src/cli/terminal/format.js'
import { startProgress } from '../../src/cli/terminal/progress.js'
import { styleFor } from '../../src/cli/terminal/style.js'
import { type EarthquakeEvent, loadEarthquakes } from './events.js'
import { RunProgress } from './progress.js'
import { partitionsOf, readBack } from './readBack.js'
import { discrepancies, lastLine, topicTable } from './report.js'
import { streamEvents } from './stream.js'

interface Flags extends ConnectionFlags {
  readonly topicPrefix: string
  readonly verbose?: boolean
}

/** A broker that creates topics by use, and is slow at it in the way a KRaft broker is. */
const SLOW_AUTO_CREATION = { style: 'kraft', createdAfter: 3, leaderAfter: 1, partitions: 3 } as const
const READ_BACK_TIMEOUT_MS = 60_000

/** Runs the example by its command line and resolves to the exit status. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const program = exitThroughRun(new Command('npm start --'), io)
    .description('Streams a week of real earthquakes to topics that do not exist yet, and reads them back.')
    .option('--topic-prefix <text>', 'put before the network’s name', 'earthquakes.')
    .option('-v, --verbose', 'print the client’s log, and stacks')
  addConnectionFlags(program)
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage
  }
  const flags = program.opts<Flags>()
  return supervise(io, { verbose: flags.verbose === true }, signal => onSomeCluster(flags, io, signal))
}

/** On the brokers that were named, or else on an embedded cluster. */
async function onSomeCluster(flags: Flags, io: Io, signal: AbortSignal): Promise<number> {
  if (flags.brokers !== undefined || flags.config !== undefined) {
    const connection = await resolveConnection(flags, io.env)
    return streamEarthquakes(flags, connection, connection.kafka.brokers.join(','), io, signal)
  }
  const cluster = await EmbeddedKafka.start({ autoCreate: SLOW_AUTO_CREATION })
  try {
    const connection = await resolveConnection({ ...flags, brokers: cluster.bootstrap.join(',') }, {})
    return await streamEarthquakes(flags, connection, 'an embedded cluster', io, signal)
  } finally {
    await cluster.close()
  }
}

async function streamEarthquakes(
  flags: Flags,
  connection: Connection,
  where: string,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const style = styleFor(io.stdout, io.env)
  const print = (line: string) => void io.stdout.write(`${line}\n`)
  const events = await loadEarthquakes()
  const topicOf = (event: EarthquakeEvent) => `${flags.topicPrefix}${event.network}`
  const state = new RunProgress([...new Set(events.map(topicOf))], events.length)
  const runId = randomUUID()
  const since = Date.now()

  print(
    `${style.bold(`${formatCount(events.length)} earthquakes`)} of one week to ${plural(state.topics.length, 'topic')} on ${where}`,
  )
  const progress = startProgress(io.stdout, io.env, () => state.line())
  const log = clientLog(flags.verbose === true, line => progress.note(style.dim(line)))
  const kafka = new Kafka({ ...connection.kafka, ...log })
  const { elapsedMs, figures } = await streamEvents(kafka, events, {
    topicOf,
    runId,
    producer: connection.producer,
    connect: { timeoutMs: flags.connectTimeoutMs, brokers: connection.kafka.brokers, signal },
    signal,
    onConnected: state.onConnected,
    onDelivered: state.onDelivered,
    onFailed: state.onFailed,
  }).finally(() => {
    progress.stop()
    if (signal.aborted) print(state.line())
  })

  for (const line of state.failureLines()) print(style.red(printable(line, 1000)))
  const last = (topics: number) =>
    style.bold(
      lastLine({
        delivered: state.deliveredCount,
        failed: state.failedCount,
        topics,
        elapsedMs,
        figures,
      }),
    )
  if (state.deliveredCount === 0) {
    print(last(0))
    return ExitCode.failed
  }
  const topics = state.topics.filter(topic => state.delivered.get(topic)!.length > 0)
  const admin = kafka.admin()
  await admin.connect()
  try {
    print('')
    for (const line of topicTable(state.delivered, await partitionsOf(admin, topics), figures, style))
      print(line)
    print('')
    const reading = startProgress(io.stdout, io.env, () => 'reading the topics back')
    const found = await readBack(kafka, admin, {
      topics,
      runId,
      since,
      timeoutMs: READ_BACK_TIMEOUT_MS,
      signal,
    }).finally(() => reading.stop())
    const wrong = discrepancies(state.delivered, found)
    for (const line of wrong) print(`${style.red('✘')} ${line}`)
    if (wrong.length === 0) {
      print(`${style.green('✔')} read back from the broker: every record is there, once`)
    }
    print(last(topics.length))
    return state.failedCount + wrong.length === 0 ? ExitCode.ok : ExitCode.failed
  } finally {
    await admin.disconnect()
  }
}
