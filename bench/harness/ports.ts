import { createServer } from 'node:net'

const tryListen = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
  })

/** A free port below the ephemeral range, where no client's own connection can sit on a stopped broker's port. */
export const freePort = async (attempts = 50): Promise<number> => {
  const port = 20_000 + Math.floor(Math.random() * 12_000)
  if (await tryListen(port)) return port
  if (attempts === 0) throw new Error('no free port between 20000 and 32000')
  return freePort(attempts - 1)
}
