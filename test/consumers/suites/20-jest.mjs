import { join } from 'node:path'
import { run, versionOf } from '../support/install.mjs'
import { onEach } from '../support/nodes.mjs'

const versions = {
  'prom-client': versionOf('prom-client'),
  '@opentelemetry/api': versionOf('@opentelemetry/api'),
  '@types/node': versionOf('@types/node'),
  '@babel/core': '^7.28.0',
  '@babel/preset-env': '^7.28.0',
  'lz4-napi': versionOf('lz4-napi'),
  snappy: versionOf('snappy'),
  'ts-jest': '^29.4.0',
}

/** Jest of one major version: what a service's tests do, in CommonJS by babel-jest and by ts-jest. */
export const jestSuite = (major, dependencies) => {
  const jest = (folder, node, ...args) =>
    run(node, [join(folder, 'node_modules', 'jest', 'bin', 'jest.js'), '--ci', ...args], {
      cwd: join(folder, 'jest'),
      timeout: 120_000,
      env: { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: '0' },
    })
  const typescript = config => (folder, node) =>
    jest(folder, node, '--config', join('ts', `jest.${config}.json`))
  return {
    name: `jest ${major}`,
    projects: ['jest'],
    dependencies: { ...versions, jest: `^${major}.0.0`, '@types/jest': `^${major}.0.0`, ...dependencies },
    checks: {
      ...onEach('babel-jest', (folder, node) => jest(folder, node)),
      ...onEach('ts-jest, module commonjs', typescript('plain')),
      'ts-jest, nodenext with isolatedModules': folder => typescript('isolated')(folder, process.execPath),
      ...(major === 30
        ? { 'babel-jest in jsdom': folder => jest(folder, process.execPath, '--env', 'jsdom') }
        : {}),
    },
  }
}

export default jestSuite(30, { typescript: '~5.9.0', 'jest-environment-jsdom': '^30.0.0' })
