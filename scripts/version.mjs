#!/usr/bin/env node
// npm run version: makes the next release's commit of what `.changeset/` has. The version comes from the changesets' bumps, by changesets;
// their texts become the changelog's section. Nothing is committed, tagged or published.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { textOfChangeset, withRelease } from './release/changelog.mjs'

const files = readdirSync('.changeset').filter(name => name.endsWith('.md') && name !== 'README.md')
if (files.length === 0) {
  console.error(
    'There are no changesets in .changeset: a release has at least one. Write one with `npx changeset`.',
  )
  process.exit(1)
}
const texts = files.sort().map(name => textOfChangeset(readFileSync(`.changeset/${name}`, 'utf8')))
const cli = new URL('../node_modules/@changesets/cli/bin.js', import.meta.url).pathname
execFileSync(process.execPath, [cli, 'version'], { stdio: 'inherit' })

const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
writeFileSync('CHANGELOG.md', withRelease(readFileSync('CHANGELOG.md', 'utf8'), version, texts))
const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'))
lock.version = version
lock.packages[''].version = version
writeFileSync('package-lock.json', `${JSON.stringify(lock, null, 2)}\n`)
console.log(`Version ${version}. Read CHANGELOG.md, commit, and tag the commit: git tag v${version}`)
