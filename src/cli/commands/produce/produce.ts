import { Kafka } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { connectWithin, orAborted } from '../../connection/connect.js'
import { resolveConnection, warn } from '../../connection/resolve.js'
import { clientLog } from '../../logs.js'
import { ExitCode } from '../../process/exit.js'
import type { Io } from '../../process/io.js'
import { plural } from '../../terminal/format.js'
import { type Progress, silentProgress, startProgress } from '../../terminal/progress.js'
import { feed } from './feed.js'
import { mappingOf, type ProduceFlags, producerOptionsOf } from './flags.js'
import { sourcesOf } from './sources.js'
import { Tally } from './tally.js'
import { windowFor } from './window.js'

/** How long a run that was told to stop goes on delivering what it had read; ms. A second signal ends it at once. */
const LAST_FLUSH_MS = 25_000

/** `resilient-producer produce`: newline-delimited JSON to topics. Resolves to the exit status. */
export async function produce(
  files: readonly string[],
  flags: ProduceFlags,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const mapping = mappingOf(flags)
  const connection = await resolveConnection(flags, io.env)
  warn(connection, io)
  const options = producerOptionsOf(flags, connection.producer)
  const sources = await sourcesOf(files, () => io.stdin)

  const started = performance.now()
  const elapsed = () => performance.now() - started
  let progress: Progress = silentProgress(io.stderr)
  const note = (line: string) => progress.note(line)
  const tally = new Tally(note, flags.verbose === true)

  const kafka = new Kafka({ ...connection.kafka, ...clientLog(flags.verbose === true, note) })
  const producer = createResilientProducer(kafka, options)
  await connectWithin(producer, {
    timeoutMs: flags.connectTimeoutMs,
    brokers: connection.kafka.brokers,
    signal,
  })
  if (!flags.quiet) {
    progress = startProgress(io.stderr, io.env, () => tally.progress(elapsed()))
    if (io.stdin.isTTY && sources.some(source => source.name === 'stdin')) {
      note('reading newline-delimited JSON from the terminal; Ctrl-D ends it')
    }
  }
  try {
    await feed(sources, producer, tally, {
      mapping,
      onMalformed: flags.strict ? 'stop' : 'continue',
      window: windowFor(options.bufferBytes),
      signal,
    })
    await deliverTheRest(producer, tally, signal, note)
  } finally {
    await producer.disconnect({ timeoutMs: LAST_FLUSH_MS }).finally(() => progress.stop())
  }
  for (const line of tally.repeats()) note(line)
  if (!flags.quiet) io.stdout.write(`${tally.summary(elapsed())}\n`)
  // Read to its end or not, an input is not done when the reading was stopped.
  signal.throwIfAborted()
  return tally.allDelivered ? ExitCode.ok : ExitCode.failed
}

/** Every record ends within `deliveryTimeoutMs`; a run that was told to stop leaves the last wait to `disconnect`. */
async function deliverTheRest(
  producer: { flush(): Promise<void> },
  tally: Tally,
  signal: AbortSignal,
  note: (line: string) => void,
): Promise<void> {
  const tellAndStop = () => {
    if (tally.outstanding > 0) {
      note(`stopping: ${plural(tally.outstanding, 'record')} in flight; press Ctrl-C again to end at once`)
    }
  }
  if (signal.aborted) return tellAndStop()
  try {
    await orAborted(producer.flush(), signal)
  } catch (error) {
    if (!signal.aborted) throw error
    tellAndStop()
  }
}
