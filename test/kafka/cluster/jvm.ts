import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { until, within } from './wait.js'

/** A running Java process whose output goes to a file. */
export interface Jvm {
  readonly pid: number
  /** Resolves once the output contains `line`; rejects with the output's end if the process ends or `timeoutMs` pass before. */
  ready(line: string, timeoutMs: number): Promise<void>
  signal(signal: NodeJS.Signals): void
  /** Sends `signal`, and SIGKILL where the process still runs after `timeoutMs`; resolves when it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL', timeoutMs: number): Promise<void>
}

const running = new Set<ChildProcess>()

function killAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

export async function startJvm(args: readonly string[], log: string): Promise<Jvm> {
  const output = openSync(log, 'w')
  const child = spawn('java', args, { stdio: ['ignore', output, output] })
  closeSync(output)
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  // The runner must be able to end while a broker that somebody forgot still runs.
  child.unref()
  if (running.size === 0) process.once('exit', killAll)
  running.add(child)
  void gone.then(() => running.delete(child))

  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  const tail = async () => (await readFile(log, 'utf8')).split('\n').slice(-15).join('\n')
  return {
    pid: child.pid ?? 0,
    signal: signal => void child.kill(signal),
    async ready(line, timeoutMs) {
      const look = async () => {
        if ((await readFile(log, 'utf8')).includes(line)) return true
        if (hasEnded()) throw new Error(`java ended before '${line}':\n${await tail()}`)
        return undefined
      }
      await until(`'${line}'`, look, { timeoutMs }).catch(async error => {
        throw new Error(`${error.message}\n${await tail()}`)
      })
    },
    async end(signal, timeoutMs) {
      if (hasEnded()) return
      child.ref()
      child.kill(signal)
      await within(timeoutMs, 'ending java', gone).catch(() => child.kill('SIGKILL'))
      await gone
    },
  }
}
