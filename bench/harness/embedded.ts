import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { EmbeddedCommand, FromEmbedded, Trouble } from './embeddedChild.js'
import { track } from './process.js'

const CHILD = fileURLToPath(new URL('./embeddedChild.js', import.meta.url))

/** An embedded cluster in a process of its own, so that its work is not the client's. */
export interface EmbeddedProcess {
  readonly bootstrap: readonly string[]
  createTopic(name: string, options: { partitions: number; leader: number }): Promise<void>
  /** Until `heal`. */
  trouble(trouble: Trouble): Promise<void>
  heal(): Promise<void>
  stop(): Promise<void>
}

export const startEmbedded = async (options: {
  readonly brokers: number
  /** Whether topics are created when they are asked for. Default false. */
  readonly autoCreate?: boolean
}): Promise<EmbeddedProcess> => {
  const child = track(fork(CHILD, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
  const ask = (command: EmbeddedCommand): Promise<FromEmbedded> =>
    new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`the embedded cluster ended at '${command.do}'`))
      child.once('exit', gone)
      child.once('message', (answer: FromEmbedded) => {
        child.off('exit', gone)
        if (answer.error === undefined) resolve(answer)
        else reject(new Error(answer.error))
      })
      child.send(command)
    })
  const { bootstrap = [] } = await ask({ do: 'start', ...options })
  return {
    bootstrap,
    createTopic: async (name, topic) => void (await ask({ do: 'topic', name, ...topic })),
    trouble: async trouble => void (await ask({ do: 'trouble', trouble })),
    heal: async () => void (await ask({ do: 'heal' })),
    stop: async () => {
      if (child.exitCode !== null) return
      const exited = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
    },
  }
}
