/**
 * Every earthquake of a week to the topic of the seismic network that located it, on topics that do not exist yet. `npm start` runs
 * it on an embedded cluster, `npm start -- --brokers host:port` on a real one.
 */
import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { type KafkaConfig, logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { formatCount, plural } from '../src/cli/terminal/format.js'
import { type Arguments, parseArguments, USAGE } from './arguments.js'
import { type Earthquake, loadEarthquakes } from './dataset.js'
import { Deliveries } from './deliveries.js'
import { sendEarthquakes } from './earthquakes.js'
import { tidyUp } from './leftovers.js'
import { pictureOf } from './picture.js'
import { partitionsOf, readBack } from './readBack.js'
import { lineOf, showProgress } from './screen.js'
import { discrepancies, failureLines, lastLine, topicTable } from './summary.js'

/** A broker that creates topics by use, and is slow at it in the way a KRaft broker is. */
const SLOW_AUTO_CREATION = { style: 'kraft', createdAfter: 3, leaderAfter: 1, partitions: 3 } as const
const READ_BACK_TIMEOUT_MS = 60_000

const print = (line: string): void => void process.stdout.write(`${line}\n`)

/** Runs on the brokers that were named, or else on an embedded cluster. Resolves to the exit status. */
async function run(options: Arguments, signal: AbortSignal): Promise<number> {
  if (options.kafka !== undefined) {
    return job(options.kafka, (options.kafka.brokers as string[]).join(','), options, signal)
  }
  const cluster = await EmbeddedKafka.start({ autoCreate: SLOW_AUTO_CREATION })
  try {
    const nothingToDelete = { ...options, topicsAfterwards: 'keep' } as const
    return await job({ brokers: cluster.bootstrap }, 'an embedded cluster', nothingToDelete, signal)
  } finally {
    await cluster.close()
  }
}

async function job(
  config: KafkaConfig,
  where: string,
  options: Arguments,
  signal: AbortSignal,
): Promise<number> {
  const kafka = new ResilientKafka({ clientId: 'earthquakes', logLevel: logLevel.NOTHING, ...config })
  const earthquakes = await loadEarthquakes()
  const topicOf = ({ network }: Earthquake) => `${options.topicPrefix}${network}`
  const deliveries = new Deliveries(earthquakes.map(topicOf))
  const runId = randomUUID()
  const since = Date.now()
  const sending = { topicOf, runId, connectTimeoutMs: options.connectTimeoutMs, signal }

  print(
    `${formatCount(earthquakes.length)} earthquakes of one week to ${plural(deliveries.topics.length, 'topic')} on ${where}`,
  )
  const screen = showProgress(process.stdout, process.env, deliveries)
  const figures = await sendEarthquakes(kafka, earthquakes, deliveries, sending).finally(() => {
    screen.stop()
    if (signal.aborted) print(lineOf(deliveries))
  })
  signal.throwIfAborted()
  const { elapsedMs } = deliveries

  for (const line of failureLines(deliveries.topics)) print(line)
  const summary = lastLine(deliveries, figures, elapsedMs)
  if (options.report !== undefined) {
    await writeFile(options.report, pictureOf(deliveries, figures, summary, where))
    print(`the picture of this run is in ${options.report}`)
  }
  const written = deliveries.topics.filter(each => each.delivered.length > 0).map(each => each.topic)
  if (written.length === 0) {
    print(summary)
    return 1
  }
  const admin = kafka.admin()
  await admin.connect()
  try {
    print('')
    for (const line of topicTable(deliveries.topics, await partitionsOf(admin, written), figures)) print(line)
    print('')
    const reading = { topics: written, runId, since, timeoutMs: READ_BACK_TIMEOUT_MS, signal }
    const wrong = discrepancies(deliveries.topics, await readBack(kafka, admin, reading))
    for (const line of wrong) print(`✘ ${line}`)
    if (wrong.length === 0) print('✔ read back from the broker: every record is there, once')
    print(summary)
    const terminal = { input: process.stdin, output: process.stdout }
    await tidyUp(admin, figures.created, options.topicsAfterwards, terminal, signal)
    return deliveries.failedCount + wrong.length === 0 ? 0 : 1
  } finally {
    await admin.disconnect()
  }
}

const EXIT_STATUS = { SIGINT: 130, SIGTERM: 143 } as const

/** Runs the job to its exit status; the first SIGINT or SIGTERM, or a reader that goes, winds it down. */
async function main(): Promise<number> {
  const stop = new AbortController()
  let status: number | undefined
  const stopWith = (reason: string, code: number) => {
    if (status !== undefined) process.exit(code)
    status = code
    stop.abort(new Error(reason))
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => stopWith(`stopped by ${signal}`, EXIT_STATUS[signal]))
  for (const output of [process.stdout, process.stderr])
    output.on('error', () => {
      status ??= 141
      stop.abort(new Error('nobody reads the output any more'))
    })

  let options: Arguments
  try {
    options = parseArguments(process.argv.slice(2), process.env)
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n${USAGE}`)
    return 2
  }
  if (options.help) {
    print(USAGE.trimEnd())
    return 0
  }
  try {
    const ended = await run(options, stop.signal)
    return status ?? ended
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error))
    if (status !== 141) process.stderr.write(stop.signal.aborted ? `${message}\n` : `error: ${message}\n`)
    if (options.verbose) process.stderr.write(`${stack}\n`)
    return status ?? 1
  }
}

// A connection attempt that was given up may still linger.
process.exit(await main())
