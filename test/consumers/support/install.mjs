// The packed package, and folders in which it is installed as a user would.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const run = promisify(execFile)
export const onWindows = process.platform === 'win32'
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
export const projects = join(root, 'test', 'consumers', 'projects')

const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
/** The version that the project itself tests with. */
export const versionOf = name => packages[`node_modules/${name}`].version

/** Packs the package into `folder`, which builds it. Gives the file's path. */
export async function pack(folder) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    shell: onWindows,
  })
  // What the build prints comes first.
  const packed = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))
  const { filename, files } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0]
  for (const needed of ['dist/index.cjs', 'dist/index.js', 'dist/index.d.cts', 'src/index.ts'])
    if (!files.some(({ path }) => path === needed)) throw new Error(`the packed package has no ${needed}`)
  return join(folder, filename)
}

/** Installs the packed package with its peer kafkajs and `dependencies`. */
export async function install(folder, tarball, dependencies = {}) {
  const all = {
    'kafkajs-resilient-producer': `file:${tarball}`,
    kafkajs: versionOf('kafkajs'),
    ...dependencies,
  }
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: all }, null, 2))
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  await run('npm', args, { cwd: folder, shell: onWindows, timeout: 300_000 })
}

/** A consumer ends by itself and has nothing to warn of: an open handle or a deprecation fails here. Gives what it printed. */
export async function completes(
  folder,
  argv,
  { node = process.execPath, env = {}, timeoutMs = 60_000 } = {},
) {
  const { stdout, stderr } = await run(node, argv, {
    cwd: folder,
    timeout: timeoutMs,
    env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1', NODE_OPTIONS: '', ...env },
  })
  if (stderr) throw new Error(`warned: ${stderr}`)
  return stdout.trim()
}

/** As {@link completes}, for the programs that deliver three records. */
export async function delivers(folder, argv, options) {
  const printed = await completes(folder, argv, options)
  if (printed !== 'delivered 3 to 2 topics') throw new Error(`printed '${printed}'`)
}
