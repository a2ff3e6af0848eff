import { ExitCode, Interruption, UsageError } from './exit.js'
import { explain } from './explain.js'
import type { Io } from './io.js'
import { styleFor } from './terminal/style.js'

export interface Errands {
  /** Prints a failure with its stack and causes. */
  readonly verbose: boolean
}

/**
 * Runs a command's job to its exit status. The first SIGINT or SIGTERM, or a closed output, aborts the job's signal, and
 * the job winds down at its own pace; a second SIGINT or SIGTERM ends the process at once. What the job throws becomes
 * one line, and its stack only when `verbose`.
 */
export async function supervise(
  io: Io,
  { verbose }: Errands,
  job: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController()
  const interruption = (): Interruption | undefined =>
    stop.signal.reason instanceof Interruption ? stop.signal.reason : undefined

  const stopListening = io.onStopSignal(by => {
    const earlier = interruption()
    if (earlier && earlier.by !== 'closed pipe') io.exitNow(new Interruption(by).exitCode)
    else stop.abort(new Interruption(by))
  })
  // Stays for the process's life: an EPIPE may come after the job's end, and unheard it would be an uncaught exception.
  const closed = () => {
    if (!stop.signal.aborted) stop.abort(new Interruption('closed pipe'))
  }
  io.stdout.on('error', closed)
  io.stderr.on('error', closed)

  try {
    const code = await job(stop.signal)
    return interruption()?.exitCode ?? code
  } catch (error) {
    const stopped = interruption()
    if (stopped && (error === stopped || isAbort(error))) return stopped.exitCode
    if (stopped?.by !== 'closed pipe') {
      const { red } = styleFor(io.stderr, io.env)
      io.stderr.write(`${red('error:')} ${explain(error)}\n`)
      if (verbose) io.stderr.write(`${stackOf(error)}\n`)
    }
    return stopped?.exitCode ?? (error instanceof UsageError ? ExitCode.usage : ExitCode.failed)
  } finally {
    stopListening()
  }
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let at: unknown = error; at instanceof Error && lines.length < 5; at = at.cause) {
    lines.push(`${lines.length > 0 ? 'caused by ' : ''}${at.stack ?? at.message}`)
  }
  return lines.join('\n')
}
