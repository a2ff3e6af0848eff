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

/** A real Prometheus that scrapes a registry each second. */
export class Prometheus {
  private readonly folder: string
  private readonly process: ChildProcess
  private readonly exporter: Server
  private readonly url: string

  private constructor(folder: string, process: ChildProcess, exporter: Server, url: string) {
    this.folder = folder
    this.process = process
    this.exporter = exporter
    this.url = url
  }

  static async start(registry: Registry, job: string): Promise<Prometheus> {
    const exporter = createServer((_, response) => {
      registry.metrics().then(text => {
        response.setHeader('content-type', registry.contentType)
        response.end(text)
      })
    })
    const target = await listen(exporter)
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'prometheus-'))
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [{ job_name: job, static_configs: [{ targets: [`127.0.0.1:${target}`] }] }],
    }
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
    return new Prometheus(folder, child, exporter, `http://127.0.0.1:${port}`)
  }

  /** Empty while it is starting. @throws on a query that is not valid */
  async query(expr: string): Promise<readonly Sample[]> {
    let response: Response
    try {
      response = await fetch(`${this.url}/api/v1/query?query=${encodeURIComponent(expr)}`)
    } catch {
      return []
    }
    if (response.status === 503) return []
    const { status, error, data } = (await response.json()) as {
      status: string
      error?: string
      data: { result: { metric: Record<string, string>; value: [number, string] }[] }
    }
    if (status !== 'success') throw new Error(`${expr}: ${error}`)
    return data.result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }))
  }

  async stop(): Promise<void> {
    const exited = new Promise(resolve => this.process.once('exit', resolve))
    this.process.kill('SIGKILL')
    await exited
    this.exporter.closeAllConnections()
    await new Promise(resolve => this.exporter.close(resolve))
    rmSync(this.folder, { recursive: true, force: true })
  }
}
