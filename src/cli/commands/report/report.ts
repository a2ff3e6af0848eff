import { constants } from 'node:fs'
import { access, writeFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileProblem } from '../../connection/resolve.js'
import { ExitCode, Interruption, UsageError } from '../../process/exit.js'
import type { Io } from '../../process/io.js'
import { resolveScraping } from '../../scrapes/flags.js'
import type { Asking, Target } from '../../scrapes/target.js'
import { Watch } from '../../scrapes/watch.js'
import { formatDuration, plural, printable } from '../../terminal/format.js'
import { type Progress, silentProgress, startProgress } from '../../terminal/progress.js'
import { FileError, readScrapes } from './files.js'
import type { ReportFlags } from './flags.js'
import { reportPage } from './html.js'
import { Recording } from './recording.js'

const DEFAULT_INTERVAL_MS = 5_000
const LEAST_INTERVAL_MS = 100
/** A chart has fewer pixels; what goes on for longer belongs into a Prometheus. */
const MOST_SCRAPES = 2_000

/** `resilient-producer report`: a page with what producers did between two or more scrapes. Resolves to the exit status. */
export async function report(
  files: readonly string[],
  flags: ReportFlags,
  io: Io,
  signal: AbortSignal,
): Promise<number> {
  const { targets, asking } = await resolveScraping(flags, io)
  check(files, flags, targets)
  await access(dirname(flags.out), constants.W_OK).catch(error => {
    throw new UsageError(`cannot write ${flags.out}: ${fileProblem(error)}`)
  })
  const recording = new Recording()
  if (targets.length === 0) await recordFiles(recording, files, flags)
  else await recordServices(recording, targets, asking, flags, io, signal)
  if (recording.readCount < 2) {
    signal.throwIfAborted()
    const [first] = recording.problems
    throw new FileError(
      `a report needs two scrapes, and ${recording.readCount === 0 ? 'none' : 'one'} could be read${first === undefined ? '' : `: ${first.name}: ${first.says}`}`,
    )
  }
  const names = targets.length > 0 ? targets.map(each => each.name) : files.map(each => basename(each))
  await writeFile(flags.out, reportPage(recording, names))
  if (!flags.quiet)
    io.stdout.write(
      `${plural(recording.readCount, 'scrape')} of ${formatDuration(recording.durationMs)} are in ${printable(flags.out)}\n`,
    )
  return signal.reason instanceof Interruption ? signal.reason.exitCode : ExitCode.ok
}

function check(files: readonly string[], flags: ReportFlags, targets: readonly Target[]): void {
  if ((files.length === 0) === (targets.length === 0))
    throw new UsageError('say what the report is about: either files of scrapes, or --url')
  if (files.length === 1)
    throw new UsageError('one scrape shows no change: name two files or more, or use --url')
  if (files.length > MOST_SCRAPES) throw new UsageError(`at most ${MOST_SCRAPES} files`)
  const { interval = DEFAULT_INTERVAL_MS } = flags
  if (targets.length === 0) return
  if (interval < LEAST_INTERVAL_MS) throw new UsageError(`--interval must be at least ${LEAST_INTERVAL_MS}ms`)
  if (flags.for < interval) throw new UsageError('--for must be at least one --interval')
  if (flags.for / interval > MOST_SCRAPES)
    throw new UsageError(
      `--for and --interval make more than ${MOST_SCRAPES} scrapes: choose a longer --interval`,
    )
}

async function recordFiles(
  recording: Recording,
  paths: readonly string[],
  flags: ReportFlags,
): Promise<void> {
  const { prefix, interval } = flags
  const watch = new Watch({ url: new URL('file:///'), socketPath: undefined, name: 'files' })
  for (const snapshot of await readScrapes({ paths, prefix, intervalMs: interval })) {
    watch.took(snapshot)
    recording.add([watch], snapshot.atMs)
  }
}

async function recordServices(
  recording: Recording,
  targets: readonly Target[],
  asking: Asking,
  flags: ReportFlags,
  io: Io,
  signal: AbortSignal,
): Promise<void> {
  const { interval = DEFAULT_INTERVAL_MS, prefix } = flags
  const watches = targets.map(each => new Watch(each))
  const wanted = { prefix, now: () => performance.now() }
  const scrapes = Math.floor(flags.for / interval) + 1
  const progress = progressOf(recording, scrapes, flags, io)
  const begun = wanted.now()
  try {
    for (let at = 0; at < scrapes; at++) {
      await sleep(Math.max(0, begun + at * interval - wanted.now()), undefined, { signal })
      await Promise.all(watches.map(each => each.scrape(asking, wanted, signal)))
      recording.add(watches, Date.now())
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    progress.stop()
  }
}

function progressOf(recording: Recording, scrapes: number, flags: ReportFlags, io: Io): Progress {
  if (flags.quiet) return silentProgress(io.stderr)
  return startProgress(io.stderr, io.env, () => {
    const { length } = recording.moments
    const failed = recording.problemCount
    return `scrape ${Math.min(length + 1, scrapes)} of ${scrapes}${failed > 0 ? ` · ${failed} failed: ${printable(recording.problems.at(-1)!.says, 200)}` : ''}`
  })
}
