import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { completes, run, versionOf } from '../support/install.mjs'

/** What app.js prints; node:zlib has zstd from Node 22.15 on. */
const expected = (release, natives) => {
  const hasZstd = Number(release) >= 22
  const zstd = hasZstd ? 'delivered' : 'CompressionUnavailableError'
  const native = natives ? 'delivered' : 'CompressionUnavailableError'
  return [
    'None delivered; GZIP delivered',
    `ZSTD ${zstd}`,
    `Snappy ${native}; LZ4 ${native}`,
    'registered delivered 1',
    'PartitionNotFoundError; true',
    `kafka_resilient_producer_records_sent_total ${4 + (hasZstd ? 1 : 0) + (natives ? 2 : 0)}`,
    'kafka_resilient_producer_records_failed_total{error="PartitionNotFoundError"} 1',
  ].join('; ')
}

/** Runs a bundle alone in a folder, on each Node; then with the native packages beside it. */
async function runs(file, folder, nodes, beside = []) {
  const alone = await mkdtemp(join(tmpdir(), 'bundle-'))
  try {
    const bundle = join(alone, file.split('/').at(-1))
    await cp(join(folder, 'bundlers', file), bundle)
    for (const [natives, packages] of [
      [false, beside],
      [true, [...beside, 'snappy', 'lz4-napi', '@napi-rs', '@antoniomuso']],
    ]) {
      await mkdir(join(alone, 'node_modules'), { recursive: true })
      for (const name of packages)
        await cp(join(folder, 'node_modules', name), join(alone, 'node_modules', name), { recursive: true })
      for (const [release, node] of Object.entries(nodes)) {
        // No warnings of Node's about its own new features.
        const printed = await completes(alone, ['--no-warnings', bundle], { node })
        if (printed !== expected(release, natives))
          throw new Error(`Node ${release}, native packages ${natives}: printed '${printed}'`)
      }
    }
  } finally {
    await rm(alone, { recursive: true, force: true })
  }
}

const at = folder => ({ cwd: join(folder, 'bundlers'), timeout: 120_000 })
/** kafkajs calls require(): in an ES module it needs one. */
const REQUIRE =
  "--banner:js=import { createRequire as r } from 'node:module'; const require = r(import.meta.url);"
const esbuild =
  (file, args, beside) =>
  async (folder, { nodes }) => {
    const program = join(folder, 'node_modules', 'esbuild', 'bin', 'esbuild')
    const { stderr } = await run(
      process.execPath,
      [program, 'app.js', '--bundle', '--platform=node', `--outfile=${file}`, '--log-level=warning', ...args],
      at(folder),
    )
    if (stderr) throw new Error(stderr)
    await runs(file, folder, nodes, beside)
  }
const rollup =
  (format, file, external = []) =>
  async (folder, { nodes }) => {
    await run(process.execPath, ['rollup.mjs', format, file, ...external], at(folder))
    await runs(file, folder, nodes, external)
  }

export default {
  name: 'bundlers',
  projects: ['bundlers'],
  dependencies: {
    'prom-client': versionOf('prom-client'),
    esbuild: '^0.28.0',
    webpack: '^5.113.0',
    rollup: '^4.68.0',
    '@rollup/plugin-commonjs': '^29.0.0',
    '@rollup/plugin-json': '^6.1.0',
    '@rollup/plugin-node-resolve': '^16.0.0',
    snappy: versionOf('snappy'),
    'lz4-napi': versionOf('lz4-napi'),
  },
  checks: {
    'esbuild, cjs': esbuild('out/app.cjs', ['--format=cjs']),
    'esbuild, cjs, minified': esbuild('out/minified.cjs', ['--format=cjs', '--minify']),
    'esbuild, esm, minified': esbuild('out/minified.mjs', ['--format=esm', '--minify', REQUIRE]),
    // Without a require(): this package's ES modules need none.
    'esbuild, esm, kafkajs and prom-client external': esbuild(
      'out/external.mjs',
      ['--format=esm', '--external:kafkajs', '--external:prom-client'],
      ['kafkajs', 'prom-client', 'tdigest', 'bintrees', '@opentelemetry'],
    ),
    'webpack 5, production': async (folder, { nodes }) => {
      await run(process.execPath, ['webpack.mjs', 'out/webpack.cjs'], at(folder))
      await runs('out/webpack.cjs', folder, nodes)
    },
    'rollup, cjs': rollup('cjs', 'out/rollup.cjs'),
    'rollup, es': rollup('es', 'out/rollup.mjs'),
  },
}
