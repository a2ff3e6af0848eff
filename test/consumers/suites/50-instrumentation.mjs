import { join } from 'node:path'
import { completes, versionOf } from '../support/install.mjs'

const prints = (hook, program, expected) => async folder => {
  const printed = await completes(join(folder, 'instrumentation'), ['--no-deprecation', ...hook, program])
  if (printed !== expected) throw new Error(`printed '${printed}' instead of '${expected}'`)
}
const REQUIRED = ['--require', './otel.cjs']
const IMPORTED = ['--import', './loader.mjs']

// What the consumer's spans are with kafkajs, they are with one changed import; the producer's come by `traced`.
export default {
  name: 'instrumentation',
  projects: ['instrumentation'],
  dependencies: {
    '@opentelemetry/api': versionOf('@opentelemetry/api'),
    '@opentelemetry/instrumentation': '^0.222.0',
    '@opentelemetry/instrumentation-kafkajs': versionOf('@opentelemetry/instrumentation-kafkajs'),
    '@opentelemetry/sdk-trace-base': versionOf('@opentelemetry/sdk-trace-base'),
    '@opentelemetry/sdk-trace-node': versionOf('@opentelemetry/sdk-trace-base'),
  },
  checks: {
    'kafkajs, CommonJS': prints(REQUIRED, './kafkajs.cjs', '2 sent, 2 received, 2 with headers, 0 hints'),
    'one changed import, CommonJS': prints(
      REQUIRED,
      './service.cjs',
      '0 sent, 2 received, 0 with headers, 1 hints',
    ),
    'traced, CommonJS': prints(REQUIRED, './traced.cjs', '2 sent, 2 received, 2 with headers, 0 hints'),
    'kafkajs, ES module with a loader': prints(
      IMPORTED,
      './kafkajs.mjs',
      '2 sent, 2 received, 2 with headers, 0 hints',
    ),
    'one changed import, ES module with a loader': prints(
      IMPORTED,
      './service.mjs',
      '0 sent, 2 received, 0 with headers, 1 hints',
    ),
  },
}
