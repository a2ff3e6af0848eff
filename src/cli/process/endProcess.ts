import { writeSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { ExitCode } from './exit.js'

/** How long the thread pool may take for a look at the working directory. ms */
const POOL_PATIENCE_MS = 500

const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map([
  [ExitCode.interrupted, 'SIGINT'],
  [ExitCode.terminated, 'SIGTERM'],
])

/**
 * Ends the process with this exit status. `process.exit` waits for the threads of libuv's pool: a name lookup without an answer, or a
 * login for which a broker asks too much work, would keep it for minutes. Where the pool does not answer any more, the process ends by
 * a signal: its own, where one has ended it, else SIGKILL.
 */
export async function endProcess(code: number): Promise<never> {
  const looked = stat('.').then(
    () => true,
    () => true,
  )
  if (await Promise.race([looked, setTimeout(POOL_PATIENCE_MS, false)])) process.exit(code)
  const signal = SIGNALS.get(code) ?? 'SIGKILL'
  // process.stderr would need a turn of the event loop that does not come.
  if (signal === 'SIGKILL')
    writeSync(2, 'ended by SIGKILL: a name lookup or a login is stuck in this process\n')
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // A signal is delivered in its own time.
  return new Promise<never>(() => {})
}
