import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { run, versionOf } from '../support/install.mjs'

const env = { ...process.env, NODE_OPTIONS: '', NEXT_TELEMETRY_DISABLED: '1', CI: '1' }

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Builds the app with one of Next's bundlers, starts it as in production, and asks its route. */
const route = bundler => async folder => {
  const cwd = join(folder, 'next')
  const next = join(folder, 'node_modules', 'next', 'dist', 'bin', 'next')
  await run(process.execPath, [next, 'build', `--${bundler}`], { cwd, env, timeout: 240_000 })
  const port = await freePort()
  const server = spawn(process.execPath, [next, 'start', '--port', String(port), '--hostname', '127.0.0.1'], {
    cwd,
    env,
  })
  const ended = once(server, 'close')
  let said = ''
  server.stderr.on('data', chunk => {
    said += chunk
  })
  try {
    await Promise.race([once(server.stdout, 'data'), ended])
    let answer
    for (let attempt = 0; answer === undefined && attempt < 50; attempt++) {
      answer = await fetch(`http://127.0.0.1:${port}/api/orders`).catch(() => undefined)
      if (answer === undefined) await new Promise(resolve => setTimeout(resolve, 200))
    }
    const text = await answer?.text()
    if (text !== '{"delivered":["new"],"refused":"PartitionNotFoundError","counted":"1"}')
      throw new Error(`answered ${text}\n${said}`)
  } finally {
    server.kill()
    await ended
  }
}

export default {
  name: 'next',
  projects: ['next'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    next: '^16.0.0',
    react: '^19.0.0',
    'react-dom': '^19.0.0',
  },
  checks: {
    'a route of Next, by turbopack': route('turbopack'),
    'a route of Next, by webpack': route('webpack'),
  },
}
