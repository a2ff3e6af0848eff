import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
const run = promisify(execFile)
let dir: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'inside-'))
  await copyFile(join(root, 'package.json'), join(dir, 'package.json'))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
  const script = join(root, 'scripts', 'build.mjs')
  await run(process.execPath, [script, '--js-only', '--out', join(dir, 'dist')])
})
afterAll(() => rm(dir, { recursive: true }))

// Node.js itself loads them: vitest would resolve imports in its own way.
test.each([
  ['protocol/api', 'decodeBody'],
  ['protocol/wire/reader', 'Reader'],
  ['testing/apis/registry', 'servedApi'],
  ['testing/net/envelope', 'encodeFrame'],
  ['transport/kafkajs/brokerHealth', 'BrokerHealth'],
  ['transport/kafkajs/candidates', 'orderKnown'],
  ['transport/kafkajs/responseFrames', 'ResponseFrames'],
])('a tool can import %s from the build', async (module, name) => {
  const url = pathToFileURL(join(dir, 'dist', `${module}.js`)).href
  const code = `console.log(typeof (await import('${url}'))['${name}'])`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code])
  expect(stdout.trim()).toBe('function')
})
