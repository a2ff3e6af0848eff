#!/usr/bin/env node
// Installs the packed package beside kafkajs, as a user would, and compiles and runs what users write against it: CommonJS that require()s it,
// and strict TypeScript under both module resolutions. Needs `npm run build` before. TEST_REPORT names a file for the counts.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { writeExamples } from './readme.mjs'

const run = promisify(execFile)
const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')
const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
const versionOf = name => packages[`node_modules/${name}`].version
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

/** Packs the package and installs it in `folder` with its peers and the types a TypeScript user has, each in the version that the project tests with. */
async function install(folder) {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: root,
    shell: onWindows,
  })
  const [{ filename, files }] = JSON.parse(stdout)
  if (!files.some(({ path }) => path === 'dist/index.js'))
    throw new Error('nothing built: run `npm run build` first')
  const dependencies = { 'kafkajs-resilient-producer': `file:${join(folder, filename)}` }
  for (const name of ['kafkajs', 'prom-client', '@opentelemetry/api', '@types/node'])
    dependencies[name] = versionOf(name)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  await run('npm', args, { cwd: folder, shell: onWindows, timeout: 180_000 })
}

const onWindows = process.platform === 'win32'

const checks = {
  'one copy of kafkajs, and only what the package needs': async folder => {
    const { stdout } = await run('npm', ['ls', '--all', '--json'], { cwd: folder, shell: onWindows })
    const copies = stdout.match(/"kafkajs": \{/g) ?? []
    if (JSON.parse(stdout).problems) throw new Error(stdout)
    // At the top and as the package's peer: npm lists both, deduplicated.
    if (copies.length > 2) throw new Error(`kafkajs is installed ${copies.length} times`)
  },
  'OpenTelemetry’s API is loaded by its subpath alone': async folder => {
    const loaded = subpath =>
      `import('kafkajs-resilient-producer${subpath}').then(() => console.log(Object.keys(require.cache).some(each => /opentelemetry.api/.test(each))))`
    const { stdout: without } = await run(process.execPath, ['-e', loaded('')], { cwd: folder })
    const { stdout: withIt } = await run(process.execPath, ['-e', loaded('/opentelemetry')], { cwd: folder })
    if (without.trim() !== 'false' || withIt.trim() !== 'true')
      throw new Error(`loaded without it: ${without}, with it: ${withIt}`)
  },
  'CommonJS: require()': folder => execute(folder, join(folder, 'commonjs', 'send.cjs')),
  'TypeScript, nodenext': async folder => {
    await compile(folder, 'tsconfig.nodenext.json')
    await execute(folder, join(folder, 'typescript', 'nodenext', 'send.mjs'))
  },
  'TypeScript, nodenext, CommonJS output': folder =>
    execute(folder, join(folder, 'typescript', 'nodenext', 'require.cjs')),
  'TypeScript, bundler': async folder => {
    await compile(folder, 'tsconfig.bundler.json')
    await execute(folder, join(folder, 'typescript', 'bundler', 'send.mjs'))
  },
  'the README: its examples, word for word': async folder => {
    const { EmbeddedKafka } = await import(
      pathToFileURL(join(folder, 'node_modules', 'kafkajs-resilient-producer', 'dist', 'testing', 'index.js'))
    )
    const cluster = await EmbeddedKafka.start()
    try {
      const files = await writeExamples(
        join(root, 'README.md'),
        join(folder, 'typescript', 'readme'),
        cluster.bootstrap[0],
      )
      await compile(folder, 'tsconfig.readme.json')
      for (const file of files) await completes(folder, file)
    } finally {
      await cluster.close()
    }
  },
  'the command': async folder => {
    const { stdout } = await run(join(folder, 'node_modules', '.bin', 'resilient-producer'), ['--version'], {
      shell: onWindows,
    })
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    if (stdout.trim() !== version) throw new Error(`--version printed '${stdout.trim()}', not ${version}`)
  },
}

const compile = (folder, config) =>
  run(process.execPath, [tsc, '-p', join(folder, 'typescript', config)], { cwd: folder })

/** A consumer ends by itself and has nothing to warn of: an open handle or a deprecation fails here. Gives what it printed. */
async function completes(folder, file) {
  const { stdout, stderr } = await run(process.execPath, [file], {
    cwd: folder,
    timeout: 30_000,
    env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1', NODE_OPTIONS: '' },
  })
  if (stderr) throw new Error(`warned: ${stderr}`)
  return stdout.trim()
}

async function execute(folder, file) {
  const printed = await completes(folder, file)
  if (printed !== 'delivered 3 to 2 topics') throw new Error(`printed '${printed}'`)
}

const counts = { node: process.version, passed: 0, failed: 0, skipped: 0 }
const folder = await mkdtemp(join(tmpdir(), 'consumers-'))
try {
  await install(folder)
  for (const name of ['commonjs', 'typescript'])
    await cp(join(here, name), join(folder, name), { recursive: true })
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(folder)
      counts.passed++
      console.log(`✓ ${name}`)
    } catch (error) {
      counts.failed++
      console.log(`✗ ${name}\n${error.stdout || ''}${error.stderr || error.message}`)
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
console.log(`Consumers on Node ${process.version}: ${counts.passed} passed, ${counts.failed} failed`)
if (process.env.TEST_REPORT) await writeFile(process.env.TEST_REPORT, JSON.stringify(counts))
process.exitCode = counts.failed > 0 ? 1 : 0
