import type { OpenDriver } from '../drivers/driver.js'
import { Load } from '../load/load.js'
import type { Worker, WorkerJob } from './worker.js'

/** Starts the load in this process: what is unhandled is for its own handlers. */
export const startHere = async (
  open: OpenDriver,
  { options, plan }: Omit<WorkerJob, 'client'>,
): Promise<Worker> => {
  const driver = await open(options)
  await driver.connect()
  const load = new Load(driver, plan)
  load.start()
  return {
    snapshot: async () => load.snapshot,
    tell: command => load.obey(command),
    finish: async settleMs => ({ ...(await load.finish(settleMs)), uncaught: [] }),
  }
}
