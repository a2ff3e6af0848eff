import { join } from 'node:path'
import { run, versionOf } from '../support/install.mjs'

const vitest = environment => folder =>
  run(
    process.execPath,
    [join(folder, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--environment', environment],
    {
      cwd: join(folder, 'vitest'),
      timeout: 120_000,
    },
  )

export default {
  name: 'vitest',
  projects: ['vitest'],
  dependencies: { 'prom-client': versionOf('prom-client'), vitest: versionOf('vitest'), jsdom: '^26.1.0' },
  checks: { 'Vitest, node': vitest('node'), 'Vitest, jsdom': vitest('jsdom') },
}
