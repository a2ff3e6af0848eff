import { type Command, Option } from 'commander'
import { readText, warn } from '../connection/resolve.js'
import { SecretFiles } from '../connection/secretFiles.js'
import { duration } from '../numbers.js'
import { UsageError } from '../process/exit.js'
import type { Io } from '../process/io.js'
import { type Asking, parseTarget, readHeaders, type Target } from './target.js'

/** Which services are asked, and how. */
export interface ScrapeFlags {
  readonly url?: readonly string[]
  readonly prefix?: string
  readonly header?: readonly string[]
  readonly tlsCa?: string
  readonly timeout: number
}

const DEFAULT_TIMEOUT_MS = 5_000
/** More services than a screen can show belong into a Prometheus. */
const MAX_TARGETS = 50

const gathered = (value: string, former: readonly string[] | undefined): string[] => [
  ...(former ?? []),
  value,
]

export function addScrapeFlags(command: Command): Command {
  return command
    .optionsGroup('Metrics:')
    .option('-u, --url <url>', 'where a service serves them; may be given again, also unix:/path', gathered)
    .option('--prefix <text>', 'the producers’ metrics.prefix (default: whatever is found)')
    .option('--header <header>', '"name: value", or @file with such lines; may be given again', gathered)
    .option('--tls-ca <file>', 'trust this authority instead of those of Node.js (PEM)')
    .addOption(
      new Option('--timeout <duration>', 'how long one answer may take')
        .argParser(duration)
        .default(DEFAULT_TIMEOUT_MS, '5s'),
    )
}

/**
 * Reads what the flags name, and warns of files with secrets that others may read.
 *
 * @throws {UsageError}
 */
export async function resolveScraping(
  flags: ScrapeFlags,
  io: Io,
): Promise<{ readonly targets: readonly Target[]; readonly asking: Asking }> {
  const { url = [], header = [], tlsCa, timeout } = flags
  if (url.length > MAX_TARGETS) throw new UsageError(`at most ${MAX_TARGETS} services at once`)
  const targets = url.map(parseTarget)
  const secrets = new SecretFiles()
  const headers = await readHeaders(header, path => secrets.note(path))
  const ca = tlsCa === undefined ? undefined : await readText(tlsCa)
  warn({ warnings: await secrets.warnings() }, io)
  return { targets, asking: { headers, ca, timeoutMs: timeout } }
}
