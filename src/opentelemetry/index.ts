export { traced } from './calls/traced.js'
export { measureProducers, type OpenTelemetryMetricsOptions } from './metrics.js'
export type { TracingOptions } from './tracing.js'
