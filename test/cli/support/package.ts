import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { buildDemo } from '../../../demo/build.mjs'

const root = fileURLToPath(new URL('../../../', import.meta.url))

export interface BuiltPackage {
  readonly command: string
  readonly demo: string
  remove(): Promise<void>
}

/** Builds the package and the demo beside a copy of package.json, without touching the checkout's own dist. */
export async function buildPackage(): Promise<BuiltPackage> {
  const dir = await mkdtemp(join(tmpdir(), 'built-package-'))
  await copyFile(join(root, 'package.json'), join(dir, 'package.json'))
  await symlink(join(root, 'node_modules'), join(dir, 'node_modules'))
  const build = join(root, 'scripts', 'build.mjs')
  await promisify(execFile)(process.execPath, [build, '--js-only', '--out', join(dir, 'dist')])
  await buildDemo(join(dir, 'build', 'demo'))
  return {
    command: join(dir, 'dist', 'cli', 'main.js'),
    demo: join(dir, 'build', 'demo', 'main.js'),
    remove: () => rm(dir, { recursive: true }),
  }
}

export interface Running {
  readonly child: ChildProcess
  readonly output: { out: string; err: string }
  /** The exit status, or the name of the signal that ended it. */
  readonly ended: Promise<number | string | null>
}

const started = new Set<ChildProcess>()

/** `nodeArgv` is a script with its arguments, and what Node.js itself is to take before it. */
export function start(nodeArgv: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  // Neither this runner's NODE_ENV, which changes kafkajs's retries, nor a user's colours.
  const { NODE_ENV: _test, FORCE_COLOR: _color, ...inherited } = process.env
  const child = spawn(process.execPath, nodeArgv, { env: { ...inherited, ...env } })
  started.add(child)
  const output = { out: '', err: '' }
  child.stdout.on('data', chunk => {
    output.out += String(chunk)
  })
  child.stderr.on('data', chunk => {
    output.err += String(chunk)
  })
  const ended = new Promise<number | string | null>(resolve => {
    child.on('close', (code, signal) => {
      started.delete(child)
      resolve(code ?? signal)
    })
  })
  return { child, output, ended }
}

/** Resolves once the process has printed more to `stream`, or has ended. */
export async function untilOutput({ child, ended }: Running, stream: 'stdout' | 'stderr'): Promise<void> {
  await Promise.race([once(child[stream]!, 'data'), ended])
}

/** For a test that failed half-way: nothing it started stays. */
export function killStarted(): void {
  for (const child of started) child.kill('SIGKILL')
}
