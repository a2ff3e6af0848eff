import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { FromChild, ToChild } from './messages.js'
import type { Worker, WorkerJob } from './worker.js'

const CHILD = fileURLToPath(new URL('./child.js', import.meta.url))
const OUTPUT_KEPT = 2_000
const START_MS = 60_000
const SNAPSHOT_MS = 5_000
/** Beyond the wait for the last sends: the close, and the ledger's way through the channel. */
const FINISH_MS = 90_000

/** Starts the load in a process of its own, without what this one's environment would change in a client. */
export const startApart = async (job: WorkerJob): Promise<Worker> => {
  // NODE_ENV=test changes kafkajs's retries.
  const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env
  const child = fork(CHILD, [], {
    env: { ...env, KAFKAJS_NO_PARTITIONER_WARNING: '1' },
    execArgv: ['--expose-gc'],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const channel = new Channel(child, job.client)
  const killChild = (): void => void child.kill('SIGKILL')
  process.once('exit', killChild)
  child.once('exit', () => process.off('exit', killChild))
  try {
    await channel.ask({ do: 'start', job }, 'started', START_MS)
  } catch (error) {
    killChild()
    throw error
  }
  return {
    snapshot: async () => (await channel.ask({ do: 'snapshot' }, 'snapshot', SNAPSHOT_MS)).snapshot,
    tell: command => channel.tell({ do: 'tell', command }),
    finish: async settleMs => {
      try {
        return (await channel.ask({ do: 'finish', settleMs }, 'outcome', settleMs + FINISH_MS)).outcome
      } finally {
        killChild()
      }
    },
  }
}

type Said<K extends FromChild['said']> = Extract<FromChild, { said: K }>

/** Questions to the child, and what becomes of them when it crashes or says nothing. */
class Channel {
  private readonly child: ChildProcess
  private readonly client: string
  private output = ''
  private over: Error | undefined
  private readonly waiting = new Set<{ heard(message: FromChild): void; lost(error: Error): void }>()

  constructor(child: ChildProcess, client: string) {
    this.child = child
    this.client = client
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        this.output = (this.output + chunk).slice(-OUTPUT_KEPT)
      })
    }
    child.on('message', (message: FromChild) => {
      if (message.said === 'failed') this.lose(new Error(`${client}: ${message.error}`))
      else for (const waiter of this.waiting) waiter.heard(message)
    })
    child.once('error', error => this.lose(error))
    child.once('exit', (code, signal) => {
      this.over = new Error(`${client} crashed (${signal ?? code}): ${this.output.trim()}`)
      this.lose(this.over)
    })
  }

  tell(message: ToChild): void {
    // A crash shows in the next question.
    if (this.child.connected) this.child.send(message, () => undefined)
  }

  ask<K extends FromChild['said']>(message: ToChild, answer: K, timeoutMs: number): Promise<Said<K>> {
    if (this.over !== undefined) return Promise.reject(this.over)
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => waiter.lost(new Error(`${this.client} did not answer '${message.do}' within ${timeoutMs} ms`)),
        timeoutMs,
      )
      const end = (): void => {
        clearTimeout(timer)
        this.waiting.delete(waiter)
      }
      const waiter = {
        heard: (said: FromChild) => {
          if (said.said !== answer) return
          end()
          resolve(said as Said<K>)
        },
        lost: (error: Error) => {
          end()
          reject(error)
        },
      }
      this.waiting.add(waiter)
      this.tell(message)
    })
  }

  private lose(error: Error): void {
    for (const waiter of [...this.waiting]) waiter.lost(error)
  }
}
