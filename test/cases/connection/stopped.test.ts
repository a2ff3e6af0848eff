import { execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { finally_, startCluster } from './support.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const CHILD = fileURLToPath(new URL('./stoppedChild.mjs', import.meta.url))
/** Beyond each time limit that the child has. ms */
const STOPPED_MS = 8_000

const build = async (): Promise<string> => {
  const dir = await mkdtemp(join(tmpdir(), 'stopped-'))
  finally_(() => rm(dir, { recursive: true }))
  await copyFile(join(root, 'package.json'), join(dir, 'package.json'))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
  const script = join(root, 'scripts', 'build.mjs')
  await promisify(execFile)(process.execPath, [script, '--js-only', '--out', join(dir, 'dist')])
  return join(dir, 'dist', 'index.js')
}

test('a process that is stopped for seconds (SIGSTOP) loses no record and no connection', async () => {
  const cluster = await startCluster()
  cluster.createTopic('t', { partitions: 1 })
  const { NODE_ENV: _, NODE_OPTIONS: __, ...env } = process.env
  const child = fork(CHILD, [await build(), cluster.bootstrap[0]!], { env, execArgv: [] })
  finally_(() => child.kill('SIGKILL'))
  const next = async () =>
    (await once(child, 'message'))[0] as Record<'connections' | 'failed' | 'sent', number>
  const before = await next()
  child.kill('SIGSTOP')
  await new Promise(resolve => setTimeout(resolve, STOPPED_MS))
  const ended = next()
  child.kill('SIGCONT')
  child.send('end')
  const after = await ended
  expect(before.sent).toBeGreaterThan(0)
  expect(after).toMatchObject({ failed: 0, connections: before.connections })
  expect(after.sent).toBeGreaterThan(before.sent)
  expect(cluster.records('t', 0)).toHaveLength(after.sent)
})
