import { constants, createReadStream } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { fileProblem } from '../../connection/resolve.js'
import { UsageError } from '../../process/exit.js'
import type { Input } from '../../process/io.js'
import { printable } from '../../terminal/format.js'

export interface Source {
  /** As complaints name it: the file as it was given, or `stdin`. */
  readonly name: string
  /** Opened only when its turn has come. */
  open(): Readable
}

/**
 * The inputs of a run, in order: the files, `-` being standard input, or standard input alone.
 *
 * @throws UsageError for a file that cannot be read, before anything is produced
 */
export async function sourcesOf(files: readonly string[], stdin: () => Input): Promise<Source[]> {
  const names = files.length === 0 ? ['-'] : files
  if (names.filter(name => name === '-').length > 1)
    throw new UsageError('standard input (-) was given twice')
  return Promise.all(
    names.map(async name => {
      if (name === '-') return { name: 'stdin', open: stdin }
      await mustBeReadable(name)
      return { name: printable(name), open: () => createReadStream(name) }
    }),
  )
}

async function mustBeReadable(path: string): Promise<void> {
  try {
    await access(path, constants.R_OK)
  } catch (error) {
    throw new UsageError(`cannot read ${printable(path)}: ${fileProblem(error)}`)
  }
  if ((await stat(path)).isDirectory())
    throw new UsageError(`cannot read ${printable(path)}: it is a directory`)
}
