export { traced } from './traced.js'
export type { TracingOptions } from './tracing.js'
