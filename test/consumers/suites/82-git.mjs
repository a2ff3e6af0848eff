import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { delivers, onWindows, root, run, versionOf } from '../support/install.mjs'

// npm clones the repository, installs what the build needs, and builds: a package without `dist` would fail here.
export default {
  name: 'git',
  unless: () => (existsSync(join(root, '.git')) ? undefined : 'this checkout is no repository'),
  projects: ['commonjs'],
  checks: {
    'a git dependency is built as it is installed': async folder => {
      const dependencies = {
        'kafkajs-resilient-producer': `git+${pathToFileURL(root).href}`,
        kafkajs: versionOf('kafkajs'),
        'prom-client': versionOf('prom-client'),
      }
      await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
      const args = ['install', '--prefer-offline', '--no-audit', '--no-fund']
      await run('npm', args, { cwd: folder, shell: onWindows, timeout: 400_000 })
      await delivers(folder, [join('commonjs', 'send.cjs')])
    },
  },
}
