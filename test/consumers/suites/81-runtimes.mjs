import { join } from 'node:path'
import { delivers, versionOf } from '../support/install.mjs'

const isLinux = process.platform === 'linux' && process.arch === 'x64'
const bun = folder => join(folder, 'node_modules', '@oven', 'bun-linux-x64-baseline', 'bin', 'bun')
const deno = folder => join(folder, 'node_modules', '@deno', 'linux-x64-glibc', 'deno')

export default {
  name: 'runtimes',
  unless: () => (isLinux ? undefined : 'Bun and Deno are installed for Linux on x64 alone'),
  projects: ['commonjs', 'esm'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    '@opentelemetry/api': versionOf('@opentelemetry/api'),
    '@oven/bun-linux-x64-baseline': '^1.4.0',
    '@deno/linux-x64-glibc': '^2.9.0',
  },
  checks: {
    'Bun, CommonJS': folder => delivers(folder, [join('commonjs', 'send.cjs')], { node: bun(folder) }),
    'Bun, ES module': folder => delivers(folder, [join('esm', 'send.mjs')], { node: bun(folder) }),
    'Deno, CommonJS': folder =>
      delivers(folder, ['run', '-A', '--quiet', join('commonjs', 'send.cjs')], { node: deno(folder) }),
    'Deno, ES module': folder =>
      delivers(folder, ['run', '-A', '--quiet', join('esm', 'send.mjs')], { node: deno(folder) }),
  },
}
