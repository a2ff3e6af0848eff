import { peerFileExists } from '../../../bench/clients/peer.js'
import type { OpenDriver } from './driver.js'

export interface DriverEntry {
  /** As the report names it. */
  readonly label: string
  /** Loaded in the process of its own alone, so that no client disturbs another. */
  readonly load: () => Promise<OpenDriver>
  /** The file that has to be there, under bench/peers. */
  readonly needs?: string
}

const platformatic = 'node_modules/@platformatic/kafka/dist/index.js'

export const DRIVERS = {
  ours: {
    label: 'kafkajs-resilient-producer',
    load: async () => (await import('./ours.js')).open,
  },
  'ours-transactional': {
    label: 'kafkajs-resilient-producer, transactions',
    load: async () => (await import('./oursTransactional.js')).open,
  },
  confluent: {
    label: '@confluentinc/kafka-javascript, idempotent',
    load: async () => (await import('./confluent.js')).open,
    needs: 'node_modules/@confluentinc/kafka-javascript/build/Release/confluent-kafka-javascript.node',
  },
  kafkajs: {
    label: 'kafkajs, defaults',
    load: async () => (await import('./kafkajs.js')).kafkajsWith({}),
  },
  'kafkajs-idempotent': {
    label: 'kafkajs, idempotent, 1 in flight',
    load: async () =>
      (await import('./kafkajs.js')).kafkajsWith({ idempotent: true, maxInFlightRequests: 1 }),
  },
  platformatic: {
    label: '@platformatic/kafka, defaults',
    load: async () => (await import('./platformatic.js')).platformaticWith(false),
    needs: platformatic,
  },
  'platformatic-idempotent': {
    label: '@platformatic/kafka, idempotent',
    load: async () => (await import('./platformatic.js')).platformaticWith(true),
    needs: platformatic,
  },
} satisfies Record<string, DriverEntry>

export type DriverName = keyof typeof DRIVERS
export const DRIVER_NAMES = Object.keys(DRIVERS) as readonly DriverName[]

/** Why a client cannot run here, if so. */
export const missing = (name: DriverName): string | undefined => {
  const { needs }: DriverEntry = DRIVERS[name]
  return needs === undefined || peerFileExists(needs)
    ? undefined
    : 'not installed (npm run bench -- peers brings it)'
}
