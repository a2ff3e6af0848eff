import { readFile, stat } from 'node:fs/promises'
import { fileProblem } from '../../connection/resolve.js'
import { UsageError } from '../../process/exit.js'
import { ExpositionError, parseExposition } from '../../scrapes/exposition.js'
import { NoProducerError, type Snapshot, snapshotOf } from '../../scrapes/snapshot.js'
import { printable } from '../../terminal/format.js'

/** As of an answer over HTTP. */
const MAX_BYTES = 64 * 1024 * 1024

/** A file of metrics that cannot be used. */
export class FileError extends Error {
  override name = 'FileError'
}

export interface ScrapeFiles {
  readonly paths: readonly string[]
  readonly prefix: string | undefined
  /** How far apart they were taken, in the order given; undefined: their own times count. ms */
  readonly intervalMs: number | undefined
}

/**
 * Reads files of metrics, in the order of their times.
 *
 * @throws {UsageError} when a file cannot be read, or two files have the same time
 * @throws {FileError} when one holds no metrics of a producer
 */
export async function readScrapes({ paths, prefix, intervalMs }: ScrapeFiles): Promise<Snapshot[]> {
  const found: { readonly snapshot: Snapshot; readonly changedMs: number }[] = []
  for (const path of paths) {
    const { text, changedMs } = await readScrape(path)
    found.push({ snapshot: understood(path, text, changedMs, prefix), changedMs })
  }
  if (intervalMs !== undefined) {
    const endMs = found.at(-1)!.changedMs
    return found.map(({ snapshot }, at) => ({
      ...snapshot,
      atMs: endMs - (found.length - 1 - at) * intervalMs,
    }))
  }
  const snapshots = found.map(({ snapshot }) => ({ ...snapshot, atMs: snapshot.stampMs ?? snapshot.atMs }))
  const sorted = snapshots.toSorted((a, b) => a.atMs - b.atMs)
  if (sorted.some(({ atMs }, at) => at > 0 && sorted[at - 1]!.atMs === atMs))
    throw new UsageError(
      'two of the files have the same time: say how far apart they were taken, with --interval 15s',
    )
  return sorted
}

async function readScrape(path: string): Promise<{ readonly text: string; readonly changedMs: number }> {
  try {
    const { mtimeMs, size } = await stat(path)
    if (size > MAX_BYTES) throw new UsageError(`${path} has more than ${MAX_BYTES / 1024 / 1024} MiB`)
    return { text: decoded(await readFile(path)), changedMs: Math.round(mtimeMs) }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`cannot read ${path}: ${fileProblem(error)}`)
  }
}

/** Windows PowerShell writes UTF-16 and its own line ends. */
const decoded = (bytes: Buffer): string =>
  new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : 'utf-8')
    .decode(bytes)
    .replaceAll('\r\n', '\n')

function understood(path: string, text: string, atMs: number, prefix: string | undefined): Snapshot {
  try {
    return snapshotOf(parseExposition(text), atMs, prefix)
  } catch (error) {
    if (error instanceof ExpositionError)
      throw new FileError(`${printable(path)} is no exposition of metrics: ${error.message}`, {
        cause: error,
      })
    if (error instanceof NoProducerError)
      throw new FileError(`${printable(path)}: ${error.message}`, { cause: error })
    throw error
  }
}
