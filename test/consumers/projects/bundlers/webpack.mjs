// node webpack.mjs FILE
import { basename, dirname, resolve } from 'node:path'
import webpack from 'webpack'

const [file] = process.argv.slice(2)
webpack(
  {
    mode: 'production',
    target: 'node',
    entry: resolve('app.js'),
    output: { path: resolve(dirname(file)), filename: basename(file) },
  },
  (error, stats) => {
    const { errors = [], warnings = [] } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {}
    const ours = warnings.filter(({ moduleName = '' }) => moduleName.includes('kafkajs-resilient-producer'))
    for (const { message } of [...errors, ...ours]) console.error(message)
    process.exitCode = error || errors.length + ours.length > 0 ? 1 : 0
    if (error) console.error(error)
  },
)
