import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createNetServer, type Server } from 'node:net'
import { Registry } from 'prom-client'
import type { ProducerLevels, ProducerObserver } from '../../../src/metrics/observer.js'
import type { MetricsOptions } from '../../../src/metrics/options.js'
import { createPrometheusObserver } from '../../../src/metrics/prometheus/prometheusObserver.js'
import type { WaitKind } from '../../../src/waits/wait.js'

export interface Metered {
  readonly registry: Registry
  /** What the stages of a producer report to. */
  readonly observer: ProducerObserver
  /** What the gauges show from the next scrape on. */
  levels: ProducerLevels
}

const IDLE: ProducerLevels = {
  bufferedRecords: 0,
  bufferedBytes: 0,
  bufferLimitBytes: 64 * 1024 * 1024,
  topicsWaiting: 0,
  requestsInFlight: 0,
  recordsWaiting: new Map<WaitKind, number>(),
  oldestRecordMs: 0,
  partitionsWithoutLeader: 0,
  metadataAgeMs: 0,
  connections: new Map([[1, 1]]),
}

/** The metrics of a producer that does what a test says. */
export function metered(options: MetricsOptions = {}, registry = new Registry()): Metered {
  const observer = createPrometheusObserver({ registry, topicLabel: 'all', clientId: 'shop', ...options })
  const its: Metered = { registry, observer, levels: IDLE }
  observer.watchLevels(() => its.levels)
  return its
}

export const idle = (but: Partial<ProducerLevels>): ProducerLevels => ({ ...IDLE, ...but })

export type Answer = (request: IncomingMessage, response: ServerResponse) => void

const servers = new Set<Server>()

async function listening(server: Server, port = 0): Promise<number> {
  servers.add(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return (server.address() as AddressInfo).port
}

/** An HTTP service. The last of the answers is given again and again. */
export async function serve(
  ...answers: Answer[]
): Promise<{ readonly url: string; readonly server: Server }> {
  let at = 0
  const server = createServer((request, response) =>
    answers[Math.min(at++, answers.length - 1)]!(request, response),
  )
  return { url: `http://127.0.0.1:${await listening(server)}/metrics`, server }
}

/** A service that speaks something else. */
export async function serveRaw(greeting: string): Promise<string> {
  const server = createNetServer(
    socket =>
      void socket
        .on('error', () => {})
        .resume()
        .end(greeting),
  )
  return `http://127.0.0.1:${await listening(server)}/metrics`
}

export const metricsOf =
  ({ registry }: Metered, before: () => void = () => {}): Answer =>
  async (_request, response) => {
    before()
    response.setHeader('content-type', registry.contentType)
    response.end(await registry.metrics())
  }

export const text =
  (body: string, type = 'text/plain'): Answer =>
  (_request, response) =>
    void response.setHeader('content-type', type).end(body)

export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_request, response) =>
    void response.writeHead(code, headers).end('no')

export async function closeServers(): Promise<void> {
  for (const server of servers) {
    if ('closeAllConnections' in server) (server as ReturnType<typeof createServer>).closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  }
  servers.clear()
}
