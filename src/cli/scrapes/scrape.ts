import type { IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { quoted } from '../../util/printable.js'
import { formatDuration } from '../terminal/format.js'
import { ExpositionError, type ExpositionFormat, formatOf, parseExposition } from './exposition.js'
import { NoProducerError, type Snapshot, snapshotOf } from './snapshot.js'
import type { Asking, Target } from './target.js'

/** Why a service's metrics cannot be read: one sentence, with what to do about it. */
export class ScrapeError extends Error {
  override name = 'ScrapeError'
}

/** A registry with 1,000 topics has some 15 MB. */
const MAX_BYTES = 64 * 1024 * 1024

const ACCEPT =
  'text/plain;version=0.0.4;q=1,application/openmetrics-text;version=1.0.0;q=0.8,text/plain;q=0.5,*/*;q=0.1'

export interface Wanted {
  /** The producers' option `metrics.prefix`; undefined: whatever it is. */
  readonly prefix: string | undefined
  /** ms, monotonic */
  readonly now: () => number
}

/**
 * Asks a service for its metrics once.
 *
 * @throws {ScrapeError} when they cannot be had
 * @throws the signal's reason, when it is aborted
 */
export async function scrape(
  target: Target,
  asking: Asking,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Snapshot> {
  const timeout = AbortSignal.timeout(asking.timeoutMs)
  try {
    const { text, format } = await ask(target, asking, AbortSignal.any([signal, timeout]))
    return snapshotOf(parseExposition(text, format), wanted.now(), wanted.prefix)
  } catch (error) {
    signal.throwIfAborted()
    if (timeout.aborted)
      throw new ScrapeError(
        `no answer within ${formatDuration(asking.timeoutMs)}: look whether it is overloaded, or give it longer with --timeout`,
      )
    throw asScrapeError(error, target)
  }
}

interface Answer {
  readonly text: string
  readonly format: ExpositionFormat
}

async function ask({ url, socketPath }: Target, asking: Asking, signal: AbortSignal): Promise<Answer> {
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({
      ...urlToHttpOptions(url),
      ...(socketPath === undefined ? {} : { socketPath }),
      ...(asking.ca === undefined ? {} : { ca: asking.ca }),
      // A connection per scrape: none is kept that a restarted service has forgotten.
      agent: false,
      headers: { accept: ACCEPT, 'accept-encoding': 'identity', ...asking.headers },
      signal,
    })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
  const problem = refusalOf(response)
  if (problem !== undefined) {
    response.destroy()
    throw new ScrapeError(problem)
  }
  const text = await readText(response)
  const type = response.headers['content-type'] ?? ''
  if (/^\s*</.test(text) || /\bhtml\b/i.test(type))
    throw new ScrapeError('it answers HTML: give the path of its metrics, often /metrics')
  return { text, format: /openmetrics/i.test(type) ? 'openmetrics' : formatOf(text) }
}

/** What is wrong with an answer, by its head. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage): string | undefined {
  const encoding = headers['content-encoding']
  if (statusCode === 200)
    return encoding === undefined || encoding === 'identity'
      ? undefined
      : `it answers with the encoding ${quoted(encoding)}, which nobody asked for: leave it off for this route`
  const answers = `it answers ${statusCode}`
  if (statusCode === 401 || statusCode === 403)
    return `${answers}, it wants credentials or refuses them: --header "authorization: Bearer …", or --header @file`
  if (statusCode === 404) return `${answers}, nothing is there: give the path of its metrics, often /metrics`
  if (statusCode >= 300 && statusCode < 400)
    return headers.location === undefined
      ? `${answers}, a redirection to nowhere`
      : `${answers}, a redirection, which is not followed: give --url ${quoted(headers.location)}`
  if (statusCode >= 500) return `${answers}, its own failure: look at its log`
  return `${answers}, where 200 is expected: look at the URL`
}

async function readText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length
    // Leaving the loop destroys the connection.
    if (bytes > MAX_BYTES)
      throw new ScrapeError(
        `it answers more than ${MAX_BYTES / 1024 / 1024} MiB: serve the producer's registry on a route of its own, or set metrics.topicMetrics (docs/metrics.md)`,
      )
    parts.push(part)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    throw new ScrapeError('it answers what is no text in UTF-8: give the path of its metrics, often /metrics')
  }
}

const NETWORK: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'the connection is refused: look whether the service runs, and at its port'],
  ['ENOTFOUND', 'there is no such host: look at the name'],
  ['EAI_AGAIN', 'its name could not be looked up: look at the network'],
  ['EHOSTUNREACH', 'there is no route to the host'],
  ['ENETUNREACH', 'there is no route to the network'],
  ['ETIMEDOUT', 'the host does not answer'],
  ['ECONNRESET', 'it closed the connection before its answer was whole'],
  ['EPIPE', 'it closed the connection before its answer was whole'],
  ['ENOENT', 'there is no such socket: look whether the service runs, and at the path'],
  ['EACCES', 'this user may not open the socket'],
  ['EPROTO', 'it does not speak TLS there: try http instead of https'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS there: try http instead of https'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'it does not speak TLS there: try http instead of https'],
  [
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'its certificate is for another name: name the host as its certificate does',
  ],
  ['CERT_HAS_EXPIRED', 'its certificate has expired'],
])
const UNTRUSTED = /SELF_SIGNED|UNABLE_TO_/

function asScrapeError(error: unknown, { url }: Target): ScrapeError {
  if (error instanceof ScrapeError) return error
  if (error instanceof NoProducerError) return new ScrapeError(error.message)
  if (error instanceof ExpositionError)
    return new ScrapeError(
      `it answers what is no exposition of metrics (${error.message}): look whether the path is that of its metrics`,
    )
  const { code = '', message } = error as NodeJS.ErrnoException
  const known = NETWORK.get(code)
  if (known !== undefined) return new ScrapeError(known, { cause: error })
  if (UNTRUSTED.test(code))
    return new ScrapeError(
      'its certificate is not trusted: pass the authority that signed it with --tls-ca',
      { cause: error },
    )
  if (code.startsWith('HPE_'))
    return new ScrapeError(
      `it does not speak HTTP there: look at the port${url.protocol === 'http:' ? ', or try https instead of http' : ''}`,
      { cause: error },
    )
  return new ScrapeError(message, { cause: error })
}
