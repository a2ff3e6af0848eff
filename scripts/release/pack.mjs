#!/usr/bin/env node
// pack.mjs CHECKOUT FOLDER: builds and packs a checkout whose packages are installed, and puts the tarball, its checksum and its bill of
// materials into the folder. The same commit gives the same bytes, with the same releases of Node.js and npm.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { sbomOf } from './sbom.mjs'

const [checkout, given] = process.argv.slice(2)
if (given === undefined) {
  console.error('usage: pack.mjs CHECKOUT FOLDER')
  process.exit(1)
}
const folder = resolve(given)
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const run = (command, ...args) =>
  execFileSync(command, args, { cwd: checkout, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
// `npm pack` would build twice, by prepack and by prepare.
run('npm', 'run', '--if-present', 'build')
const [{ filename }] = JSON.parse(
  run('npm', 'pack', '--ignore-scripts', '--json', '--pack-destination', folder),
)
const sha256 = createHash('sha256')
  .update(readFileSync(join(folder, filename)))
  .digest('hex')
const date = new Date(run('git', 'show', '--no-patch', '--format=%cI', 'HEAD').trim()).toISOString()
const sbom = sbomOf(checkout, { sha256, date })
const sbomName = filename.replace(/\.tgz$/, '.cdx.json')
writeFileSync(join(folder, sbomName), sbom)
const sbomSha256 = createHash('sha256').update(sbom).digest('hex')
writeFileSync(join(folder, 'SHA256SUMS'), `${sha256}  ${filename}\n${sbomSha256}  ${sbomName}\n`)
