/** The process of one client under load, led over the channel to its parent. */
import { DRIVERS } from '../drivers/index.js'
import { startHere } from './here.js'
import type { FromChild, ToChild } from './messages.js'
import type { Worker } from './worker.js'

const UNCAUGHT_KEPT = 20

const uncaught: string[] = []
let worker: Worker | undefined

const say = (message: FromChild): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, error => (error ? reject(error) : resolve()))
  })

const note = (kind: string) => (error: unknown) => {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  if (uncaught.length < UNCAUGHT_KEPT) uncaught.push(`${kind}: ${text}`)
}
// A client's slip is counted, and the run goes on to show what else comes of it.
process.on('uncaughtException', note('uncaught exception'))
process.on('unhandledRejection', note('unhandled rejection'))

const obey = async (message: ToChild): Promise<void> => {
  if (message.do === 'start') {
    const { client } = message.job
    worker = await startHere(await DRIVERS[client].load(), message.job)
    return say({ said: 'started' })
  }
  if (worker === undefined) throw new Error(`'${message.do}' before the start`)
  switch (message.do) {
    case 'snapshot':
      return say({ said: 'snapshot', snapshot: await worker.snapshot() })
    case 'tell':
      return worker.tell(message.command)
    case 'finish':
      await say({ said: 'outcome', outcome: { ...(await worker.finish(message.settleMs)), uncaught } })
      // Native threads and kafkajs's timers must not keep a finished run alive.
      process.exit(0)
  }
}

process.on('message', (message: ToChild) => {
  obey(message).catch(error =>
    say({ said: 'failed', error: error instanceof Error ? error.message : `${error}` }),
  )
})
// Without a parent there is nobody to end the load.
process.on('disconnect', () => process.exit(1))
