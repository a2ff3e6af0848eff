import { InvalidOptionsError } from 'kafkajs-resilient-producer'
import { explain } from '../explain.js'
import { printable } from '../terminal/format.js'
import { styleFor } from '../terminal/style.js'
import { ExitCode, Interruption, UsageError } from './exit.js'
import type { Io, Output } from './io.js'

export interface Errands {
  /** Prints a failure with its stack and causes. */
  readonly verbose: boolean
}

/**
 * Runs a command's job to its exit status. The first SIGINT or SIGTERM, or a closed output, aborts the job's signal; the
 * job winds down at its own pace and says by what it returns or throws (the signal's reason) whether that was its end.
 * A second SIGINT or SIGTERM ends the process at once. Any other error of the job becomes one line, with its stack only
 * when `verbose`.
 */
export async function supervise(
  io: Io,
  { verbose }: Errands,
  job: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = new AbortController()
  let signalled = false
  let closed = false

  const stopListening = io.onStopSignal(by => {
    if (signalled) io.exitNow(new Interruption(by).exitCode)
    signalled = true
    stop.abort(new Interruption(by))
  })
  // Stays for the process's life: an EPIPE that nobody hears is an uncaught exception.
  const onClosed = () => {
    closed = true
    stop.abort(new Interruption('closed pipe'))
  }
  io.stdout.on('error', onClosed)
  io.stderr.on('error', onClosed)

  let code: number
  try {
    code = await job(stop.signal)
  } catch (error) {
    code = statusOf(error, stop.signal)
    if (error instanceof Interruption) {
      if (error.by !== 'closed pipe') io.stderr.write(`${error.message}\n`)
    } else {
      const { red } = styleFor(io.stderr, io.env)
      for (const line of explain(error).split('\n')) io.stderr.write(`${red('error:')} ${line}\n`)
      if (verbose) io.stderr.write(`${stackOf(error)}\n`)
    }
  } finally {
    stopListening()
  }
  await Promise.all([written(io.stdout), written(io.stderr)])
  return closed && code === ExitCode.ok ? ExitCode.closedPipe : code
}

function statusOf(error: unknown, { reason }: AbortSignal): number {
  if (reason instanceof Interruption) return reason.exitCode
  const isUsage = error instanceof UsageError || error instanceof InvalidOptionsError
  return isUsage ? ExitCode.usage : ExitCode.failed
}

/** Resolves when all that was printed has reached the output, or its reader has gone. */
async function written(output: Output): Promise<void> {
  if (output.destroyed) return
  await new Promise<void>(resolve => void output.write('', () => resolve()))
  // A failed write calls back first and emits its error in a later tick.
  await new Promise(resolve => setImmediate(resolve))
}

/** Of one line: a message may be in it that came from outside. */
const STACK_CHARACTERS = 2000

function stackOf(error: unknown): string {
  const lines: string[] = []
  for (let at: unknown = error; at instanceof Error && lines.length < 5; at = at.cause) {
    lines.push(`${lines.length > 0 ? 'caused by ' : ''}${at.stack ?? at.message}`)
  }
  return lines
    .join('\n')
    .split('\n')
    .map(line => printable(line, STACK_CHARACTERS))
    .join('\n')
}
