#!/usr/bin/env node
// The short form, for every run of CI: packs the package, lints what was packed, installs it beside kafkajs as a user would, and compiles and runs
// what users write against it. `npm run test:consumers` has the long form. TEST_REPORT names a file for the counts.
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check, report } from './support/checks.mjs'
import {
  completes,
  delivers,
  install,
  onWindows,
  pack,
  projects,
  root,
  run,
  versionOf,
} from './support/install.mjs'
import { deadLinks } from './support/links.mjs'
import { writeExamples } from './support/readme.mjs'

const tool = name => join(root, 'node_modules', '.bin', name)
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const compile = (folder, config) =>
  run(process.execPath, [tsc, '-p', join(folder, 'typescript', config)], { cwd: folder })
const installed = (folder, ...path) => join(folder, 'node_modules', 'kafkajs-resilient-producer', ...path)

const checks = {
  publint: (_folder, tarball) =>
    run(tool('publint'), ['run', '--strict', tarball], { cwd: root, shell: onWindows }),
  'are the types wrong? (attw)': (_folder, tarball) =>
    run(tool('attw'), [tarball], { cwd: root, shell: onWindows }),
  'no dead links in the packed documents': async folder => {
    const dead = await deadLinks(installed(folder))
    if (dead.length > 0) throw new Error(dead.join('\n'))
  },
  'every map leads to a source that is in the package': async folder => {
    const { mapsWithoutSource } = await import('./support/maps.mjs')
    const missing = await mapsWithoutSource(installed(folder))
    if (missing.length > 0) throw new Error(missing.join('\n'))
  },
  'one copy of kafkajs, and only what the package needs': async folder => {
    const { stdout } = await run('npm', ['ls', '--all', '--json'], { cwd: folder, shell: onWindows })
    const copies = stdout.match(/"kafkajs": \{/g) ?? []
    if (JSON.parse(stdout).problems) throw new Error(stdout)
    // At the top and as the package's peer: npm lists both, deduplicated.
    if (copies.length > 2) throw new Error(`kafkajs is installed ${copies.length} times`)
  },
  'single modules are in the checkout, not in the package': async folder => {
    // `npm pack` has built the checkout. A tool there makes a broker out of these codecs.
    const { apiNameOf } = await import(pathToFileURL(join(root, 'dist', 'testing', 'apis', 'registry.js')))
    if (apiNameOf(0) !== 'Produce') throw new Error(`API 0 is '${apiNameOf(0)}'`)
    const scripts = (await readdir(installed(folder, 'dist'), { recursive: true }))
      .map(file => file.replaceAll('\\', '/'))
      .filter(file => file.endsWith('.js') && !file.startsWith('esm/'))
      .sort()
    const expected = ['cli/main.js', 'index.js', 'opentelemetry/index.js', 'testing/index.js']
    if (`${scripts}` !== `${expected}`) throw new Error(`packed: ${scripts}`)
  },
  'OpenTelemetry’s API is loaded by its subpath alone': async folder => {
    const loaded = subpath =>
      `import('kafkajs-resilient-producer${subpath}').then(() => console.log(Object.keys(require.cache).some(each => /opentelemetry.api/.test(each))))`
    const { stdout: without } = await run(process.execPath, ['-e', loaded('')], { cwd: folder })
    const { stdout: withIt } = await run(process.execPath, ['-e', loaded('/opentelemetry')], { cwd: folder })
    if (without.trim() !== 'false' || withIt.trim() !== 'true')
      throw new Error(`loaded without it: ${without}, with it: ${withIt}`)
  },
  'CommonJS: require()': folder => delivers(folder, [join(folder, 'commonjs', 'send.cjs')]),
  'import and require() in one program: one copy': async folder => {
    const printed = await completes(folder, [join(folder, 'forms', 'forms.cjs')])
    if (printed !== 'one copy') throw new Error(`printed '${printed}'`)
  },
  'TypeScript, nodenext': async folder => {
    await compile(folder, 'tsconfig.nodenext.json')
    await delivers(folder, [join(folder, 'typescript', 'nodenext', 'send.mjs')])
  },
  'TypeScript, nodenext, CommonJS output': folder =>
    delivers(folder, [join(folder, 'typescript', 'nodenext', 'require.cjs')]),
  'TypeScript, bundler': async folder => {
    await compile(folder, 'tsconfig.bundler.json')
    await delivers(folder, [join(folder, 'typescript', 'bundler', 'send.mjs')])
  },
  'the README: its examples, word for word': async folder => {
    const { EmbeddedKafka } = await import(pathToFileURL(installed(folder, 'dist', 'testing', 'index.js')))
    const cluster = await EmbeddedKafka.start()
    try {
      const files = await writeExamples(
        join(root, 'README.md'),
        join(folder, 'typescript', 'readme'),
        cluster.bootstrap[0],
      )
      await compile(folder, 'tsconfig.readme.json')
      for (const file of files) await completes(folder, [file])
    } finally {
      await cluster.close()
    }
  },
  'the command': async folder => {
    const { stdout } = await run(join(folder, 'node_modules', '.bin', 'resilient-producer'), ['--version'], {
      shell: onWindows,
    })
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    if (stdout.trim() !== version) throw new Error(`--version printed '${stdout.trim()}', not ${version}`)
  },
}

const folder = await mkdtemp(join(tmpdir(), 'consumers-'))
try {
  const tarball = await pack(folder)
  const names = ['prom-client', '@opentelemetry/api', '@types/node']
  await install(folder, tarball, Object.fromEntries(names.map(name => [name, versionOf(name)])))
  for (const name of ['commonjs', 'forms', 'typescript'])
    await cp(join(projects, name), join(folder, name), { recursive: true })
  await check(checks, folder, tarball)
} finally {
  await rm(folder, { recursive: true, force: true })
}
await report('Consumers')
