// node rollup.mjs FORMAT FILE EXTERNAL...
import commonjs from '@rollup/plugin-commonjs'
import json from '@rollup/plugin-json'
import { nodeResolve } from '@rollup/plugin-node-resolve'
import { rollup } from 'rollup'

const [format, file, ...external] = process.argv.slice(2)
const warnings = []
const bundle = await rollup({
  input: 'app.js',
  external,
  plugins: [nodeResolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()],
  // Those of other packages are none of ours.
  onwarn: warning => {
    if (JSON.stringify([warning.id, warning.ids, warning.exporter]).includes('kafkajs-resilient-producer'))
      warnings.push(warning.message)
  },
})
await bundle.write({ format, file, inlineDynamicImports: true })
await bundle.close()
if (warnings.length > 0) throw new Error(warnings.join('\n'))
