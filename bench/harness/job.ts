import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ClientOptions } from '../clients/client.js'
import { CLIENTS, type ClientEntry, type ClientName } from '../clients/index.js'
import type { ResultOf, Work } from '../work/index.js'
import { track } from './process.js'

export interface Job<W extends Work = Work> {
  readonly client: ClientName
  readonly options: ClientOptions
  readonly work: W
}

export type ToChild = { readonly job: Job } | { readonly answered: true }
export type FromChild =
  | { readonly result: ResultOf<Work> }
  | { readonly error: string }
  | { readonly ask: 'pause' | 'resume' }

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const OUTPUT_KEPT = 2000

export interface JobHooks {
  /** What the child may ask of the broker's process. */
  readonly answer?: (asked: 'pause' | 'resume') => void | Promise<void>
  /** The child is killed after it. ms */
  readonly timeoutMs?: number
}

/** Does the work with the client in a process of its own; rejects with the child's error, its crash or its silence. */
export const runJob = <W extends Work>(
  job: Job<W>,
  { answer, timeoutMs = 180_000 }: JobHooks = {},
): Promise<ResultOf<W>> =>
  new Promise((resolve, reject) => {
    const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env
    const entry: ClientEntry = CLIENTS[job.client]
    const child = track(
      fork(CHILD, [], {
        // NODE_ENV=test changes kafkajs's retries; a loader of the parent's would slow every client.
        env: { ...env, KAFKAJS_NO_PARTITIONER_WARNING: '1' },
        execArgv: [],
        execPath: entry.runtime ?? process.execPath,
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      }),
    )
    let output = ''
    const keep = (chunk: Buffer): void => {
      output = (output + chunk).slice(-OUTPUT_KEPT)
    }
    child.stdout!.on('data', keep)
    child.stderr!.on('data', keep)
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`${job.client} did not end within ${timeoutMs} ms`))
    }, timeoutMs)
    child.on('message', (message: FromChild) => {
      if ('ask' in message) {
        Promise.resolve(answer?.(message.ask)).then(
          () => child.send({ answered: true } satisfies ToChild),
          reject,
        )
      } else if ('error' in message) reject(new Error(`${job.client}: ${message.error}`))
      else resolve(message.result as ResultOf<W>)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      reject(new Error(`${job.client} crashed (${signal ?? code}): ${output.trim()}`))
    })
    child.send({ job } satisfies ToChild)
  })
