import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Registry } from 'prom-client'

const isInstalled = (command: string): boolean => {
  try {
    execFileSync(command, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Debian's package `prometheus` has both; `.ci/run` installs it. */
export const hasPrometheus: boolean = isInstalled('prometheus') && isInstalled('promtool')

const listen = (server: Server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })

const freePort = async (): Promise<number> => {
  const server = createServer()
  const port = await listen(server)
  await new Promise(resolve => server.close(resolve))
  return port
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A series over time. */
export interface Course {
  readonly labels: Readonly<Record<string, string>>
  /** Unix time in s, and the value. */
  readonly points: readonly (readonly [number, number])[]
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

/** A registry at http://host:port/metrics. */
export interface Exporter {
  readonly address: string
  close(): Promise<void>
}

export const exporterOf = async (registry: Registry): Promise<Exporter> => {
  const server = createServer((_, response) => {
    registry.metrics().then(text => {
      response.setHeader('content-type', registry.contentType)
      response.end(text)
    })
  })
  const port = await listen(server)
  return {
    address: `127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

export interface PrometheusOptions {
  readonly job: string
  /** host:port */
  readonly target: string
  /** Default 1000. ms */
  readonly everyMs?: number
  /** The text of a file of alert rules, evaluated as often as it scrapes. */
  readonly rules?: string
}

/** A real Prometheus that scrapes one target. */
export class Prometheus {
  private readonly folder: string
  private readonly process: ChildProcess
  private readonly url: string

  private constructor(folder: string, process: ChildProcess, url: string) {
    this.folder = folder
    this.process = process
    this.url = url
  }

  static async start({ job, target, everyMs = 1000, rules }: PrometheusOptions): Promise<Prometheus> {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
    const interval = `${everyMs}ms`
    const config = {
      global: { scrape_interval: interval, scrape_timeout: interval, evaluation_interval: interval },
      scrape_configs: [{ job_name: job, static_configs: [{ targets: [target] }] }],
      ...(rules === undefined ? {} : { rule_files: [join(folder, 'rules.yml')] }),
    }
    if (rules !== undefined) writeFileSync(join(folder, 'rules.yml'), rules)
    // YAML takes JSON.
    writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config))
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    )
    return new Prometheus(folder, child, `http://127.0.0.1:${port}`)
  }

  /** Empty while it is starting. @throws on a query that is not valid */
  async query(expr: string): Promise<readonly Sample[]> {
    const answer = await this.ask<{ result: { metric: Labels; value: [number, string] }[] }>('query', {
      query: expr,
    })
    return (answer?.result ?? []).map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  /** At steps of so many s. @param from @param to Unix time in s */
  course(expr: string, from: number, to: number, step: number): Promise<readonly Course[]> {
    const times = { start: String(from), end: String(to), step: String(step) }
    return this.matrix('query_range', { query: expr, ...times })
  }

  /** Each series of a selector with the times at which it has samples, of the last minutes. */
  recorded(selector: string, minutes: number): Promise<readonly Course[]> {
    return this.matrix('query', { query: `${selector}[${minutes}m]` })
  }

  /** Those that are pending or firing now; undefined while it is starting. */
  async alerts(): Promise<readonly Alert[] | undefined> {
    return (await this.ask<{ alerts: Alert[] }>('alerts', {}))?.alerts
  }

  async stop(): Promise<void> {
    const exited = new Promise(resolve => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await exited
    rmSync(this.folder, { recursive: true, force: true })
  }

  private async matrix(what: string, parameters: Record<string, string>): Promise<readonly Course[]> {
    const answer = await this.ask<{ result: { metric: Labels; values: [number, string][] }[] }>(
      what,
      parameters,
    )
    return (answer?.result ?? []).map(({ metric, values }) => ({
      labels: metric,
      points: values.map(([at, value]) => [at, Number(value)] as const),
    }))
  }

  private async ask<T>(what: string, parameters: Record<string, string>): Promise<T | undefined> {
    let response: Response
    try {
      response = await fetch(`${this.url}/api/v1/${what}?${new URLSearchParams(parameters)}`)
    } catch {
      return undefined
    }
    if (response.status === 503) return undefined
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T }
    if (status !== 'success') throw new Error(`${JSON.stringify(parameters)}: ${error}`)
    return data
  }
}

type Labels = Readonly<Record<string, string>>
