import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(tmpdir(), 'kafkajs-resilient-producer-kafka')

/** A new folder for a cluster of the run whose main process is `owner`. */
export async function claimFolder(owner: number): Promise<string> {
  await mkdir(root, { recursive: true })
  return mkdtemp(join(root, `${owner}-`))
}

/**
 * Ends the brokers, and removes the folders, of runs for which `isOver` holds: of runs that crashed, or of this one at its end.
 *
 * @returns how many clusters were removed
 */
export async function removeLocalLeftovers(isOver: (owner: number) => boolean): Promise<number> {
  const folders = await readdir(root).catch(() => [])
  const left = folders.filter(name => isOver(Number.parseInt(name, 10))).map(name => join(root, name))
  for (const folder of left) {
    for (const node of await readdir(folder).catch(() => [])) {
      const pid = Number(await readFile(join(folder, node, 'pid'), 'utf8').catch(() => 0))
      if (pid > 0 && isBrokerIn(folder, pid)) process.kill(pid, 'SIGKILL')
    }
    await rm(folder, { recursive: true, force: true })
  }
  return left.length
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Process ids are used again: only one whose command line names the folder is the broker that was started in it. */
function isBrokerIn(folder: string, pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder)
  } catch {
    return false
  }
}
