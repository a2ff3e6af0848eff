import { createServer } from 'node:net'

const first = 15_000
const last = 32_000

/**
 * Free ports for brokers that are killed and started again.
 *
 * They lie below 32768, where Linux's ephemeral ports begin: a client that keeps reconnecting to a dead broker on an ephemeral port can be given that
 * very port as its own, connects to itself, and keeps the broker from coming back.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let attempt = 0; found.size < count; attempt++) {
    if (attempt > 1000) throw new Error(`no ${count} free ports between ${first} and ${last}`)
    // Random, so that test files that start brokers at the same moment do not pick the same ones.
    const port = first + Math.floor(Math.random() * (last - first))
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  return [...found]
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)))
  })
