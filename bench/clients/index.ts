import { existsSync } from 'node:fs'
import type { OpenClient } from './client.js'
import { NODE_24, peerFileExists } from './peer.js'

export interface ClientEntry {
  /** Loaded in the child only, so that no client disturbs another. */
  readonly load: () => Promise<OpenClient>
  readonly runtime?: string
  /** Why it cannot run here, if so. */
  readonly missing: () => string | undefined
}

const never: ClientEntry['missing'] = () => undefined
const unlessThere =
  (...entries: string[]): ClientEntry['missing'] =>
  () =>
    entries.every(peerFileExists) ? undefined : 'not installed (npm run bench -- peers)'

const unlessNode24: ClientEntry['missing'] = () =>
  existsSync(NODE_24) ? undefined : 'needs Node 24 (npm run bench -- peers brings it on Linux x64)'

export const CLIENTS = {
  ours: { load: async () => (await import('./ours.js')).open, missing: never },
  /** For zstd, which node:zlib has from Node 22.15 on. */
  'ours-node24': {
    load: async () => (await import('./ours.js')).open,
    runtime: NODE_24,
    missing: unlessNode24,
  },
  'ours-before': {
    load: async () => (await import('./ours.js')).openBefore,
    missing: () =>
      process.env.BENCH_BEFORE === undefined ? 'no earlier build given (--before FOLDER)' : undefined,
  },
  'ours-enqueue': { load: async () => (await import('./ours.js')).openEnqueue, missing: never },
  'ours-metrics': { load: async () => (await import('./ours.js')).openWithMetrics, missing: never },
  nothing: { load: async () => (await import('./nothing.js')).open, missing: never },
  kafkajs: { load: async () => (await import('./kafkajs.js')).open, missing: never },
  platformatic: {
    load: async () => (await import('./platformatic.js')).open,
    missing: unlessThere('node_modules/@platformatic/kafka/dist/index.js'),
  },
  'platformatic-newest': {
    load: async () => (await import('./platformatic.js')).openNewest,
    runtime: NODE_24,
    missing: () => unlessNode24() ?? unlessThere('node24/node_modules/@platformatic/kafka/dist/index.js')(),
  },
  'kafka-ts': {
    load: async () => (await import('./kafkaTs.js')).open,
    missing: unlessThere('node_modules/kafka-ts/dist/index.js'),
  },
  'kafka-crab': {
    load: async () => (await import('./kafkaCrab.js')).open,
    runtime: NODE_24,
    missing: () => unlessNode24() ?? unlessThere('node24/node_modules/kafka-crab-js/dist/index.js')(),
  },
  confluent: {
    load: async () => (await import('./confluent.js')).open,
    missing: unlessThere(
      'node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node',
    ),
  },
  'node-rdkafka': {
    load: async () => (await import('./nodeRdkafka.js')).open,
    missing: unlessThere('node_modules/node-rdkafka/build/Release/node-librdkafka.node'),
  },
} satisfies Record<string, ClientEntry>

export type ClientName = keyof typeof CLIENTS
