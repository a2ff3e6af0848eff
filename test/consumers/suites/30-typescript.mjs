import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, versionOf } from '../support/install.mjs'

/** The lowest is the one that the README names. */
const COMPILERS = { ts54: '5.4', ts56: '5.6', ts59: '5.9', ts7: '7' }

const SETTINGS = {
  'module commonjs (node10)': { module: 'commonjs', moduleResolution: 'node10' },
  node16: { module: 'node16', moduleResolution: 'node16' },
  'nodenext, ES module': { module: 'nodenext', moduleResolution: 'nodenext', type: 'module' },
  'nodenext, CommonJS': { module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { module: 'esnext', moduleResolution: 'bundler' },
}

const compile =
  (compiler, { type = 'commonjs', ...settings }) =>
  async folder => {
    const isNew = compiler === 'ts7'
    // TypeScript 7 has left `node10` and `esModuleInterop: false` behind.
    if (isNew && settings.moduleResolution === 'node10') settings.moduleResolution = 'bundler'
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022'],
      types: ['node'],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      ...(isNew ? {} : { esModuleInterop: false }),
      ...settings,
    }
    const config = join(folder, 'compilers', 'tsconfig.json')
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['everything.ts'] }))
    await writeFile(join(folder, 'compilers', 'package.json'), JSON.stringify({ private: true, type }))
    const lib = isNew ? ['bin', 'tsc'] : ['lib', 'tsc.js']
    await run(process.execPath, [join(folder, 'node_modules', compiler, ...lib), '-p', config], {
      cwd: folder,
    })
  }

const checks = {}
for (const [compiler, version] of Object.entries(COMPILERS))
  for (const [name, settings] of Object.entries(SETTINGS))
    checks[`TypeScript ${version}, ${name}, skipLibCheck: false`] = compile(compiler, settings)

export default {
  name: 'typescript',
  projects: ['compilers'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    '@opentelemetry/api': versionOf('@opentelemetry/api'),
    '@types/node': versionOf('@types/node'),
    ...Object.fromEntries(
      Object.entries(COMPILERS).map(([name, version]) => [name, `npm:typescript@${version}`]),
    ),
  },
  checks,
}
