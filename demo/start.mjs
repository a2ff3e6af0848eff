// `npm start`: builds what is not built yet, says so, and runs the program of this folder.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildDemo } from './build.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} folder */
const newest = folder =>
  Math.max(
    ...readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
      .filter(each => each.isFile())
      .map(each => statSync(join(each.parentPath, each.name)).mtimeMs),
  )

const builtAt = statSync(join(root, 'dist', 'index.cjs'), { throwIfNoEntry: false })?.mtimeMs ?? 0
if (builtAt < newest('src')) {
  process.stdout.write('building the package (10 to 30 seconds, once) ...\n')
  execFileSync(process.execPath, [join(root, 'scripts', 'build.mjs')], { stdio: 'inherit' })
}
const out = join(root, 'build', 'demo')
await buildDemo(out)
await import(join(out, 'main.js'))
