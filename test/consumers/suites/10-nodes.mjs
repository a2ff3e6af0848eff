import { join } from 'node:path'
import { completes, delivers, versionOf } from '../support/install.mjs'
import { onEach } from '../support/nodes.mjs'

export default {
  name: 'nodes',
  projects: ['commonjs', 'esm', 'forms'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    '@opentelemetry/api': versionOf('@opentelemetry/api'),
  },
  checks: {
    ...onEach('CommonJS', (folder, node) =>
      delivers(folder, [join(folder, 'commonjs', 'send.cjs')], { node }),
    ),
    ...onEach('ESM', (folder, node) => delivers(folder, [join(folder, 'esm', 'send.mjs')], { node })),
    ...onEach('both forms in one program', async (folder, node) => {
      const printed = await completes(folder, [join(folder, 'forms', 'forms.cjs')], { node })
      if (printed !== 'one copy') throw new Error(`printed '${printed}'`)
    }),
  },
}
