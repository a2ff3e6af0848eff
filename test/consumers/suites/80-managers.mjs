import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { completes, run, versionOf } from '../support/install.mjs'

/** What projects/managers/codecs.cjs prints: LZ4's package is left out. */
const EXPECTED = 'GZIP, Snappy, LZ4 is not installed, records_sent_total 2'

const project = async (folder, name, tarball, more = {}) => {
  const own = join(folder, `${name}-project`)
  await mkdir(own)
  const dependencies = {
    'kafkajs-resilient-producer': `file:${tarball}`,
    kafkajs: versionOf('kafkajs'),
    'prom-client': versionOf('prom-client'),
    snappy: versionOf('snappy'),
  }
  await writeFile(join(own, 'package.json'), JSON.stringify({ name, private: true, dependencies, ...more }))
  return own
}
const sees = (printed, expected = EXPECTED) => {
  if (printed !== expected) throw new Error(`printed '${printed}' instead of '${expected}'`)
}
const env = { ...process.env, CI: '', npm_config_user_agent: '' }

export default {
  name: 'managers',
  projects: ['managers', 'commonjs', 'esm'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    '@opentelemetry/api': versionOf('@opentelemetry/api'),
    pnpm: '^10.0.0',
    '@yarnpkg/cli-dist': '^4.18.0',
  },
  checks: {
    pnpm: async (folder, { tarball }) => {
      const own = await project(folder, 'pnpm', tarball)
      const pnpm = join(folder, 'node_modules', 'pnpm', 'bin', 'pnpm.cjs')
      const store = join(folder, 'pnpm-store')
      await run(
        process.execPath,
        [pnpm, 'install', '--ignore-scripts', '--no-frozen-lockfile', `--store-dir=${store}`],
        { cwd: own, env },
      )
      await run('cp', [join(folder, 'managers', 'codecs.cjs'), own])
      sees(await completes(own, ['codecs.cjs']))
    },
    'Yarn PnP, CommonJS': async (folder, { tarball }) => {
      const own = await project(folder, 'yarn', tarball)
      const yarn = join(folder, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js')
      const { stdout: registry } = await run('npm', ['config', 'get', 'registry'])
      const settings = [
        'nodeLinker: pnp',
        'enableTelemetry: false',
        'enableScripts: false',
        'enableGlobalCache: false',
        // npm's own settings of this machine, which Yarn does not read.
        `npmRegistryServer: "${registry.trim()}"`,
        `unsafeHttpWhitelist: ["${new URL(registry.trim()).hostname}"]`,
      ]
      await writeFile(join(own, '.yarnrc.yml'), `${settings.join('\n')}\n`)
      await writeFile(join(own, 'yarn.lock'), '')
      await run(process.execPath, [yarn, 'install', '--no-immutable'], { cwd: own, env })
      await run('cp', [join(folder, 'managers', 'codecs.cjs'), own])
      sees(await completes(own, ['--require', './.pnp.cjs', 'codecs.cjs']))
    },
  },
}
