export { measureProducers, type OpenTelemetryMetricsOptions } from './metrics.js'
export { traced } from './traced.js'
export type { TracingOptions } from './tracing.js'
