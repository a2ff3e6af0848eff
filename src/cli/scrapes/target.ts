import { validateHeaderName, validateHeaderValue } from 'node:http'
import { readText } from '../connection/resolve.js'
import { UsageError } from '../process/exit.js'

/** Where a service serves its metrics. */
export interface Target {
  readonly url: URL
  /** Of a Unix domain socket; the URL then says only which path is asked for. */
  readonly socketPath: string | undefined
  /** As it was given, without credentials. */
  readonly name: string
}

/**
 * @param text an http or https URL, or `unix:/path/of/the.sock`
 * @throws {UsageError}
 */
export function parseTarget(text: string): Target {
  if (text.startsWith('unix:')) {
    const socketPath = text.slice('unix:'.length)
    if (!socketPath.startsWith('/'))
      throw new UsageError(`--url unix: needs the socket's whole path, as in unix:/run/shop/metrics.sock`)
    return { url: new URL('http://localhost/metrics'), socketPath, name: text }
  }
  const url = URL.parse?.(text) ?? (URL.canParse(text) ? new URL(text) : null)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new UsageError(
      `--url must be an http or https URL, as in http://localhost:3000/metrics, not ${text}`,
    )
  const shown = new URL(url)
  shown.username = ''
  shown.password = ''
  return { url, socketPath: undefined, name: shown.href }
}

/** How the targets are asked. */
export interface Asking {
  readonly headers: Readonly<Record<string, string>>
  /** PEM; undefined: the authorities that Node.js trusts. */
  readonly ca: string | undefined
  readonly timeoutMs: number
}

/**
 * Headers of a request, as `--header` gives them.
 *
 * @param given `name: value`, or `@file` with one header per line
 * @param noteSecret is told of the files: passwords and tokens stand there
 * @throws {UsageError}
 */
export async function readHeaders(
  given: readonly string[],
  noteSecret: (path: string) => void,
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const each of given) {
    const lines = each.startsWith('@') ? await linesOf(each.slice(1), noteSecret) : [each]
    for (const line of lines) {
      const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line.trim()) ?? []
      // The line itself may be a token: it is not shown.
      if (name === undefined || value === undefined || !isHeader(name, value))
        throw new UsageError(`--header must be "name: value" or @file with such lines`)
      headers[name.toLowerCase()] = value
    }
  }
  return headers
}

async function linesOf(path: string, noteSecret: (path: string) => void): Promise<string[]> {
  const text = await readText(path)
  noteSecret(path)
  return text.split('\n').filter(line => line.trim() !== '')
}

function isHeader(name: string, value: string): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return true
  } catch {
    return false
  }
}
