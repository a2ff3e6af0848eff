/** The process of one client: it is given one job over the channel to its parent, answers once, and ends. */
import type { Client, Sink } from '../clients/client.js'
import { CLIENTS } from '../clients/index.js'
import { awaited } from '../work/awaited.js'
import { idle } from '../work/idle.js'
import type { ResultOf, Work } from '../work/index.js'
import { isolation } from '../work/isolation.js'
import { newTopics } from '../work/newTopics.js'
import { paced } from '../work/paced.js'
import { steady } from '../work/steady.js'
import type { AskHarness } from '../work/stoppedBroker.js'
import { throughput } from '../work/throughput.js'
import type { FromChild, Job, ToChild } from './job.js'

const tell = (message: FromChild): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send!(message, undefined, undefined, error => (error ? reject(error) : resolve()))
  })

const ask: AskHarness = async what => {
  const answered = new Promise<void>(resolve => {
    process.once('message', () => resolve())
  })
  await tell({ ask: what })
  await answered
}

const perform = async ({ client, options, work }: Job): Promise<ResultOf<Work>> => {
  const openClient = await CLIENTS[client].load()
  const open = (sink: Sink): Promise<Client> => openClient(options, sink)
  switch (work.kind) {
    case 'throughput':
      return throughput(open, work)
    case 'awaited':
      return awaited(open, work)
    case 'paced':
      return paced(open, work)
    case 'newTopics':
      return newTopics(open, work)
    case 'idle':
      return idle(open, work)
    case 'steady':
      return steady(open, work)
    case 'isolation':
      return isolation(open, work, ask)
    case 'aborts':
      return (await import('../work/aborts.js')).aborts(options, work, ask)
    case 'stalls':
      return (await import('../work/stalls.js')).stalls(options, work, ask)
    case 'stoppedBroker':
      return (await import('../work/stoppedBroker.js')).stoppedBroker(options, work, ask)
  }
}

process.once('message', (message: ToChild) => {
  if (!('job' in message)) throw new Error('the first message to a child is its job')
  perform(message.job)
    .then(
      result => tell({ result }),
      error => tell({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
    // Native threads and kafkajs's timers must not keep a finished measurement alive.
    .finally(() => process.exit(0))
})
