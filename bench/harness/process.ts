import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'

const started = new Set<ChildProcess>()

/** Every process of the benchmark is started here, so that none outlives it. */
export const track = <P extends ChildProcess>(child: P): P => {
  started.add(child)
  child.once('exit', () => started.delete(child))
  return child
}

const folders = new Set<string>()

/** A folder to remove with the process that uses it, also when the benchmark is interrupted. */
export const trackFolder = (path: string): void => void folders.add(path)

export const removeFolder = async (path: string): Promise<void> => {
  await rm(path, { recursive: true, force: true })
  folders.delete(path)
}

/** The last act before the benchmark's own process ends. */
export const stopEverything = (): void => {
  for (const child of started) child.kill('SIGKILL')
  for (const path of folders) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
}

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end; the caller judges its status. Rejects when it cannot be started. */
export const run = (
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const child = track(spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] }))
    let stdout = ''
    let stderr = ''
    child.stdout!.on('data', chunk => (stdout += chunk))
    child.stderr!.on('data', chunk => (stderr += chunk))
    child.once('error', reject)
    child.once('close', code => resolve({ code, stdout, stderr }))
  })

export const hasCommand = async (command: string, ...args: string[]): Promise<boolean> =>
  run(command, args).then(
    ({ code }) => code === 0,
    () => false,
  )
