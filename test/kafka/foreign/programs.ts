import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { projectFile } from '../cluster/projectFile.js'

const run = promisify(execFile)

/** A program that was built, or why it could not be. */
export type Built = { readonly path: string } | { readonly reason: string }

const cache = projectFile('node_modules/.cache/kafkajs-resilient-producer')

const building = async (build: () => Promise<string>): Promise<Built> => {
  try {
    await mkdir(cache, { recursive: true })
    return { path: await build() }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    const [first = ''] = message.split('\n')
    return {
      reason:
        code === 'ENOENT'
          ? `${first.replace(/^spawn /, '').replace(/ ENOENT$/, '')} is not installed`
          : first,
    }
  }
}

/** franz-go's kfake and its client: needs Go, and its module proxy the first time. */
export const buildKfake = (): Promise<Built> =>
  building(async () => {
    const path = join(cache, 'kfake')
    await run('go', ['build', '-o', path, '.'], {
      cwd: projectFile('test/kafka/foreign/kfake'),
      timeout: 240_000,
    })
    return path
  })

/** The mock cluster speaks Metadata 4 and newer from this release on. */
const LEAST_LIBRDKAFKA = '2.4'

/** Where a librdkafka is that has it: the one that node-rdkafka has built for the benchmarks, else the system's. */
const librdkafka = async (): Promise<readonly string[]> => {
  const built = projectFile('bench/peers/node_modules/node-rdkafka/deps/librdkafka/src')
  const library = join(built, 'librdkafka.so.1')
  if (existsSync(library)) return [`-I${built}`, library, `-Wl,-rpath,${built}`]
  const wanted = ['--atleast-version', LEAST_LIBRDKAFKA, 'rdkafka']
  await run('pkg-config', wanted).catch(() => {
    throw new Error(`no librdkafka ${LEAST_LIBRDKAFKA} or newer: npm ci --prefix bench/peers builds one`)
  })
  const { stdout } = await run('pkg-config', ['--variable=includedir', 'rdkafka'])
  return [`-I${stdout.trim()}/librdkafka`, '-lrdkafka']
}

/** librdkafka's mock cluster: needs a C compiler and a librdkafka. */
export const buildMockCluster = (): Promise<Built> =>
  building(async () => {
    const path = join(cache, 'mock-cluster')
    const source = projectFile('test/kafka/foreign/mockCluster/main.c')
    await run('cc', ['-O1', '-Wall', '-o', path, source, ...(await librdkafka())], { timeout: 60_000 })
    return path
  })

/** A broker as a process: its first line of output names its addresses, and each command is answered with a line. */
export class ForeignBroker {
  readonly #process: ReturnType<typeof spawn>
  readonly #lines: AsyncIterator<string>
  bootstrap: readonly string[] = []

  private constructor(path: string, args: readonly string[]) {
    this.#process = spawn(path, args, { stdio: ['pipe', 'pipe', 'ignore'] })
    this.#lines = createInterface({ input: this.#process.stdout! })[Symbol.asyncIterator]()
  }

  static async start(path: string, ...args: string[]): Promise<ForeignBroker> {
    const broker = new ForeignBroker(path, args)
    broker.bootstrap = (await broker.#line()).split(',')
    return broker
  }

  async ask(command: string): Promise<string> {
    this.#process.stdin!.write(`${command}\n`)
    return this.#line()
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done) throw new Error(`the broker has ended (${this.#process.exitCode})`)
    return value
  }

  async stop(): Promise<void> {
    this.#process.stdin!.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5_000)
    if (this.#process.exitCode === null && this.#process.signalCode === null)
      await once(this.#process, 'exit')
    clearTimeout(timer)
  }
}

/** Runs a client with lines on its standard input. */
export const runProgram = async (
  path: string,
  args: readonly string[],
  lines: readonly string[] = [],
): Promise<string[]> => {
  const started = run(path, [...args], { timeout: 40_000 })
  started.child.stdin?.end(lines.map(line => `${line}\n`).join(''))
  return (await started).stdout.split('\n').filter(line => line !== '')
}
