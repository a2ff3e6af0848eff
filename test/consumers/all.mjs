#!/usr/bin/env node
// The long form (`npm run test:consumers`): small projects with the test runners, compilers, bundlers, frameworks and package managers that users have,
// each with the packed package installed. `npm run test:consumers -- jest next` runs the suites whose names begin so. Takes about 6 minutes on two
// cores and 2 GB below the temporary folder. TEST_REPORT names a file for the counts.
import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check, failed, report, skipped } from './support/checks.mjs'
import { install, pack, projects } from './support/install.mjs'
import { nodesOf } from './support/nodes.mjs'

const wanted = process.argv.slice(2)
const suites = []
for (const file of (await readdir(new URL('suites', import.meta.url))).sort()) {
  const { default: suite } = await import(new URL(`suites/${file}`, import.meta.url))
  if (wanted.length === 0 || wanted.some(each => suite.name.startsWith(each))) suites.push(suite)
}

const folder = await mkdtemp(join(tmpdir(), 'consumers-'))
try {
  const tarball = await pack(folder)
  const nodes = await nodesOf(folder)
  for (const { name, dependencies, projects: names = [], checks, unless } of suites) {
    console.log(`\n${name}`)
    const reason = await unless?.()
    if (reason) {
      skipped(name, reason)
      continue
    }
    const own = join(folder, name.replaceAll(/\W+/g, '-'))
    await mkdir(own)
    for (const each of names) await cp(join(projects, each), join(own, each), { recursive: true })
    try {
      if (dependencies) await install(own, tarball, dependencies)
      await check(checks, own, { tarball, nodes })
    } catch (error) {
      failed(`${name}: installing`, error)
    }
    // Half a gigabyte each, in all: none waits for the last.
    await rm(own, { recursive: true, force: true })
  }
} finally {
  await rm(folder, { recursive: true, force: true })
}
await report('Consumers, the long form,')
