#!/usr/bin/env node
// npm run release: makes a release's files of the commit that is checked out, in `release/`, and publishes nothing.
// npm run release -- --publish: does the same, and publishes the tarball with its provenance. Only .github/workflows/release.yml can.
//
// Refuses a working tree with changes, and a tag, a changelog or a lock file that does not fit package.json's version. Everything is built from a
// clean clone: what is ignored or not committed cannot be in it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkRelease } from './release/preconditions.mjs'

const { values: flags } = parseArgs({ options: { publish: { type: 'boolean', default: false } } })
const root = process.cwd()
const folder = join(root, 'release')
const pack = fileURLToPath(new URL('release/pack.mjs', import.meta.url))
/** In the clone, in this order. `npm test` uses the best broker that it finds. */
const CHECKS = ['check', 'test', 'check:package']

const fail = (...lines) => {
  for (const line of lines) console.error(line)
  process.exit(1)
}

const { version, problems } = checkRelease(root)
if (flags.publish && process.env.GITHUB_ACTIONS !== 'true')
  problems.push('Only the release workflow can publish with provenance: push the tag, and it runs.')
if (problems.length > 0)
  fail(`Version ${version} cannot be released:`, ...problems.map(problem => `  - ${problem}`))

const clone = mkdtempSync(join(tmpdir(), 'release-'))
const inClone = (command, ...args) => execFileSync(command, args, { cwd: clone, stdio: 'inherit' })
try {
  execFileSync('git', ['clone', '--quiet', '--no-hardlinks', '--branch', `v${version}`, root, clone], {
    stdio: ['ignore', 'inherit', 'ignore'],
  })
  inClone('npm', 'ci', '--no-audit', '--no-fund')
  const { scripts = {} } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'))
  for (const check of CHECKS.filter(name => name in scripts)) inClone('npm', 'run', '--silent', check)
  execFileSync(process.execPath, [pack, clone, folder], { stdio: 'inherit' })
} catch (error) {
  rmSync(clone, { recursive: true, force: true })
  fail(`Version ${version} is not released: ${error.message}`)
}
rmSync(clone, { recursive: true, force: true })

const sums = readFileSync(join(folder, 'SHA256SUMS'), 'utf8')
console.log(`Version ${version}, in release/:\n${sums}`)
const [, tarball] = /^\w+ {2}(.*\.tgz)$/m.exec(sums)
const publish = ['publish', join('release', tarball), '--provenance', '--access', 'public']
if (flags.publish) execFileSync('npm', publish, { stdio: 'inherit' })
else console.log(`Nothing was published. The release workflow runs: npm ${publish.join(' ')}`)
