import { stat } from 'node:fs/promises'

/** Permissions of a file for its group and for others. */
const GROUP_READS = 0o040
const OTHERS_READ = 0o004

/** The files in which passwords and private keys stand, as far as a command reads them. */
export class SecretFiles {
  private readonly paths = new Set<string>()

  /** A secret was read from there. */
  note(path: string): void {
    this.paths.add(path)
  }

  /** A line for each that others on this machine may read. */
  async warnings(): Promise<string[]> {
    const readers = await Promise.all(
      [...this.paths].map(async path => ({ path, by: await readersOf(path) })),
    )
    return readers.flatMap(({ path, by }) =>
      by === undefined ? [] : [`${path} holds a secret, and ${by} may read it: chmod 600 ${path}`],
    )
  }
}

async function readersOf(path: string): Promise<string | undefined> {
  // Windows has no such bits: Node.js makes up 0o666.
  if (process.platform === 'win32') return undefined
  const { mode } = await stat(path)
  if (mode & OTHERS_READ) return 'everybody on this machine'
  return mode & GROUP_READS ? 'its group' : undefined
}
