import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** Tests on a real Kafka live here, beside their runs on the embedded cluster. */
const onKafka = 'test/{kafka,compat,chaos}/**/*.test.ts'
/** Those of them that `npm test` runs where it finds a broker: a minute instead of a quarter of an hour. */
const shortOnKafka =
  'test/kafka/{acknowledgements,creation-disabled,named-metadata,new-topics,partitioning,records}.test.ts'

/** What `npm test` leaves to `npm run test:all`: whole builds, releases and documents, and the longest waits and models. */
const longUnits = [
  'test/{api,release,docs,demo,ops,examples}/**',
  'test/cli/built.test.ts',
  'test/delivery/model/**',
  'test/producer/{longWaits.test.ts,transactions/commitUnderFaults.test.ts}',
]

const unitProject = (name: string, exclude: readonly string[] = []) => ({
  extends: true as const,
  test: { name, include: ['test/**/*.test.ts'], exclude: [onKafka, 'test/consumers/**', ...exclude] },
})

const kafkaProject = (name: string, include: string) => ({
  extends: true as const,
  test: {
    name,
    include: [include],
    // The broker is looked for, and started, only when a run has one of these files.
    globalSetup: './test/setup/kafka.ts',
    // After the others and one file at a time: brokers share the machine's cores with the producers that they time.
    sequence: { groupOrder: 1 },
    fileParallelism: false,
    // A session of a consumer group takes up to 30 s to end where a request of its start was lost.
    testTimeout: 90_000,
    // A shared machine may hold up a real broker for longer than any limit that a test waits for. The report names what needed it.
    retry: process.env.CI ? 1 : 0,
  },
})

export default defineConfig({
  resolve: {
    alias: {
      'kafkajs-resilient-producer/opentelemetry': source('opentelemetry/index.ts'),
      'kafkajs-resilient-producer/testing': source('testing/index.ts'),
      'kafkajs-resilient-producer': source('index.ts'),
    },
  },
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    env: { KAFKAJS_NO_PARTITIONER_WARNING: '1' },
    reporters: ['default', './test/setup/report.ts'],
    projects: [
      unitProject('unit'),
      unitProject('unit-short', longUnits),
      // `npm run test:all` and `npm test`: never both at once, since the short ones' files are among the others'.
      kafkaProject('kafka', onKafka),
      kafkaProject('kafka-short', shortOnKafka),
    ],
  },
})
