#!/usr/bin/env node
// Builds dist: the package as it is published. `--out DIR` builds somewhere else, `--js-only` leaves the declarations out.
//
//   dist/*.cjs, dist/shared   the package, as CommonJS; kafkajs is loaded by require(), where instrumentations see it
//   dist/*.js                 what Node.js imports: the same objects again, so that the two forms cannot disagree about a class
//   dist/esm                  the condition `module`: the package as ES modules, for bundlers, which take it for import and require alike
//   dist/cli/main.js          the command
//   dist/**/*.d.cts           the declarations; dist/*.d.ts names them again for importers
//   dist/protocol, ...        each module of INSIDE by itself, for tools that speak the protocol with the same codecs. Not published.
import { execFile } from 'node:child_process'
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { rolldown } from 'rolldown'

const root = fileURLToPath(new URL('..', import.meta.url))
const { values: flags } = parseArgs({
  options: { out: { type: 'string', default: join(root, 'dist') }, 'js-only': { type: 'boolean' } },
})
const dist = resolve(flags.out)

/** The subpaths that users import, by the file that stands for each in `src` and in `dist`. */
const ENTRIES = ['index', 'opentelemetry/index', 'testing/index']
const COMMAND = 'cli/command'
/** Rooms of which the checkout's tools take single modules. */
const INSIDE = ['protocol', 'testing', 'transport']
/** Where tools look for modules that have moved since, and where those are today. */
const MOVED = {
  'transport/kafkajs/brokerHealth': 'transport/brokers/brokerHealth',
  'transport/kafkajs/candidates': 'transport/brokers/candidates',
  'transport/kafkajs/responseFrames': 'transport/connection/responseFrames',
}
/** A relative import in a declaration: what stands before it, the quote, the path. */
const RELATIVE_IMPORT = /((?:from|import) ?\(?)(["'])(\.{1,2}\/[^"']+)\.js\2/g
/**
 * What several of them need, in files with names that say something in a stack trace. In CommonJS a call into another file goes
 * through a getter of its `exports`, and a record's encoding is many small calls: the codecs are in the producer's own file, and
 * `testing`, which does without the producer, has a copy of them. ES modules are bound without getters.
 */
const NEEDED_BY_SEVERAL = {
  name: 'producer',
  test: /(src[\\/](?!cli|opentelemetry)|node_modules)/,
  minShareCount: 2,
}
const SHARED = {
  cjs: [NEEDED_BY_SEVERAL],
  es: [
    { name: 'protocol', test: /src[\\/]protocol[\\/]/, priority: 2 },
    { name: 'testing', test: /src[\\/]testing[\\/]/, priority: 1 },
    NEEDED_BY_SEVERAL,
  ],
}
const CLUSTER = 'testing/index'
/** The command finds the embedded cluster where users do. */
const clusterApart = {
  name: 'cluster',
  resolveId: id => (id.endsWith('/testing') ? { id: `../${CLUSTER}.cjs`, external: true } : null),
}

await rm(dist, { recursive: true, force: true })
await Promise.all([buildJavaScript(), buildInside(), ...(flags['js-only'] ? [] : [buildDeclarations()])])

async function buildJavaScript() {
  const asCommonJs = {
    format: 'cjs',
    // Importers of the facades below ask for exports by name; without default exports no mark is needed.
    esModule: false,
    exports: 'named',
    entryFileNames: '[name].cjs',
    chunkFileNames: 'shared/[name].cjs',
  }
  const [producer, cluster] = await Promise.all([
    bundle([...ENTRIES.filter(entry => entry !== CLUSTER), COMMAND], asCommonJs, [clusterApart]),
    bundle([CLUSTER], asCommonJs),
    bundle(ENTRIES, {
      format: 'es',
      entryFileNames: 'esm/[name].js',
      chunkFileNames: 'esm/shared/[name].js',
    }),
    bundle(['cli/main'], { format: 'es', entryFileNames: '[name].js' }, [
      {
        name: 'command',
        resolveId: id => (id === './command.js' ? { id: './command.cjs', external: true } : null),
      },
    ]),
  ])
  const commonjs = [...producer, ...cluster]
  await writeNotices(commonjs)
  for (const { name, fileName, exports } of commonjs.filter(chunk => ENTRIES.includes(chunk.name))) {
    const facade = `export { ${exports.join(', ')} } from './${basename(fileName)}'\n`
    await writeFile(join(dist, `${name}.js`), facade)
  }
  await chmod(join(dist, 'cli', 'main.js'), 0o755)
}

/** Everything but the peers and commander becomes a part of the output: p-retry is an ES module alone, which require() does not load everywhere. */
async function bundle(names, output, plugins = []) {
  const build = await rolldown({ ...inputOf(names), plugins })
  try {
    const { output: chunks } = await build.write({
      ...output,
      dir: dist,
      sourcemap: true,
      // `src` is in the package: only what is not, p-retry, needs its text in the map.
      sourcemapPathTransform: (source, map) => sourcePath(source, map),
      codeSplitting: { groups: SHARED[output.format] },
    })
    for (const { sourcemapFileName } of chunks)
      if (sourcemapFileName) await slimMap(join(dist, sourcemapFileName))
    return chunks.filter(chunk => chunk.type === 'chunk')
  } finally {
    await build.close()
  }
}

function inputOf(names) {
  return {
    cwd: root,
    input: Object.fromEntries(names.map(name => [name, join(root, 'src', `${name}.ts`)])),
    platform: 'node',
    external: [/^kafkajs(\/|$)/, 'commander', '@opentelemetry/api'],
    // The command imports the package by its own name: tsconfig's paths lead that into the same copy.
    tsconfig: join(root, 'tsconfig.json'),
    // Jest's jsdom environment has no such globals.
    transform: {
      inject: {
        setImmediate: ['node:timers', 'setImmediate'],
        clearImmediate: ['node:timers', 'clearImmediate'],
      },
    },
    onLog: (level, log) => {
      if (level === 'warn') throw new Error(log.message)
    },
  }
}

/** One file per module. Where a file of the package has the same path, that one stays. */
async function buildInside() {
  const files = await Promise.all(
    INSIDE.map(async room =>
      (await readdir(join(root, 'src', room), { recursive: true }))
        .filter(file => file.endsWith('.ts'))
        .map(file => posix.join(room, file.replaceAll('\\', '/').slice(0, -'.ts'.length))),
    ),
  )
  const build = await rolldown(inputOf(files.flat()))
  try {
    const { output } = await build.generate({
      format: 'es',
      preserveModules: true,
      preserveModulesRoot: join(root, 'src'),
      entryFileNames: '[name].js',
    })
    const packaged = new Set(ENTRIES.map(entry => `${entry}.js`))
    for (const { fileName, code } of output) if (!packaged.has(fileName)) await writeModule(fileName, code)
  } finally {
    await build.close()
  }
  for (const [name, target] of Object.entries(MOVED)) {
    if (!files.flat().includes(target)) throw new Error(`${target} has moved: name its new place in MOVED`)
    await writeModule(`${name}.js`, `export * from '${posix.relative(dirname(name), target)}.js'\n`)
  }
}

async function writeModule(name, code) {
  const file = join(dist, name)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, code)
}

/** The licences of the packages whose code became a part of the output ask to go with it. */
async function writeNotices(chunks) {
  const modules = chunks.flatMap(chunk => chunk.moduleIds).filter(id => id.includes('/node_modules/'))
  const folders = new Set(modules.map(id => /^.*\/node_modules\/(@[^/]+\/)?[^/]+/.exec(id)[0]))
  const notices = []
  for (const folder of folders) {
    const { name, version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
    const file = (await readdir(folder)).find(each => /^licen[cs]e/i.test(each))
    if (!file) throw new Error(`${name} has no licence to go with its code`)
    notices.push(`${name} ${version}\n\n${(await readFile(join(folder, file), 'utf8')).trim()}\n`)
  }
  await writeFile(join(dist, 'LICENSES-OF-PARTS.txt'), notices.sort().join('\n---\n\n'))
}

/** A build elsewhere has no `src` beside it: its maps lead to the checkout's all the same. */
function sourcePath(source, map) {
  const absolute = resolve(dirname(map), source)
  const inDist = relative(dirname(map), dist)
  return posix.join(inDist, '..', relative(root, absolute).replaceAll('\\', '/'))
}

async function slimMap(file) {
  const map = JSON.parse(await readFile(file, 'utf8'))
  map.sourcesContent = map.sourcesContent?.map((content, index) =>
    /(^|\/)node_modules\//.test(map.sources[index]) ? content : null,
  )
  if (map.sourcesContent?.every(content => content === null)) delete map.sourcesContent
  await writeFile(file, JSON.stringify(map))
}

/**
 * tsc writes declarations of ES modules. As `.d.cts` they are those of the CommonJS form; importers get the same ones, so that
 * a class has one type however it is loaded.
 */
async function buildDeclarations() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  const run = promisify(execFile)
  await run(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json'), '--outDir', dist]).catch(
    error => {
      throw new Error(error.stdout || error.message)
    },
  )
  const needed = await reachable(ENTRIES.map(entry => join(dist, `${entry}.d.ts`)))
  for (const name of await readdir(dist, { recursive: true })) {
    const file = join(dist, name)
    if (!file.endsWith('.d.ts')) continue
    if (needed.has(file)) await renameAsCommonJs(file)
    await Promise.all([rm(file), rm(`${file}.map`)])
  }
  for (const entry of ENTRIES)
    await writeFile(join(dist, `${entry}.d.ts`), `export * from './${basename(entry)}.cjs'\n`)
}

/** The declarations that those of the entries name, directly or not: most of the inside is in no public type. */
async function reachable(entries) {
  const found = new Set(entries)
  for (const file of found) {
    for (const [, , , path] of (await readFile(file, 'utf8')).matchAll(RELATIVE_IMPORT))
      found.add(join(dirname(file), `${path}.d.ts`))
  }
  return found
}

async function renameAsCommonJs(file) {
  const renamed = file.replace(/\.d\.ts$/, '.d.cts')
  const text = (await readFile(file, 'utf8'))
    .replaceAll(RELATIVE_IMPORT, '$1$2$3.cjs$2')
    // The compiler writes out a parameter that Buffer does not have before TypeScript 5.7.
    .replaceAll(/\b(Buffer|Uint8Array)<ArrayBuffer(?:Like)?>/g, '$1')
    // A default import of kafkajs would need `esModuleInterop` of whoever compiles against this.
    .replaceAll(/^import kafkajs from (["'])kafkajs\1/gm, 'import * as kafkajs from $1kafkajs$1')
    .replaceAll(
      /^import kafkajs, (\{[^}]*\}) from (["'])kafkajs\2/gm,
      'import * as kafkajs from $2kafkajs$2;\nimport $1 from $2kafkajs$2',
    )
    .replace(/^\/\/# sourceMappingURL=.*$/m, `//# sourceMappingURL=${basename(renamed)}.map`)
  const map = JSON.parse(await readFile(`${file}.map`, 'utf8'))
  await writeFile(renamed, text)
  await writeFile(`${renamed}.map`, JSON.stringify({ ...map, file: basename(renamed) }))
}
