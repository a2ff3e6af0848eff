import { promisify } from 'node:util'
import type { OpenClient, Payload } from './client.js'
import { importPeer } from './peer.js'

interface DeliveryReport {
  readonly opaque?: (error: Error | null) => void
}
interface RdkafkaProducer {
  connect(options: unknown, callback: (error: Error | null) => void): void
  produce(
    topic: string,
    partition: number,
    value: Buffer,
    key: Buffer | null,
    timestamp: number,
    opaque?: DeliveryReport['opaque'],
    headers?: { [name: string]: Buffer }[],
  ): void
  on(event: 'delivery-report', listener: (error: Error | null, report: DeliveryReport) => void): void
  on(event: 'event.error', listener: (error: Error) => void): void
  setPollInterval(ms: number): void
  flush(timeoutMs: number, callback: (error: Error | null) => void): void
  disconnect(callback: (error: Error | null) => void): void
}
interface Rdkafka {
  default: { Producer: new (config: unknown) => RdkafkaProducer }
}

/** node-rdkafka's own interface: produce() and a delivery report a record. */
export const open: OpenClient = async ({ brokers, idempotent, compression, settings }, sink) => {
  const { Producer } = (await importPeer<Rdkafka>('node_modules/node-rdkafka/lib/index.js')).default
  const producer = new Producer({
    'client.id': 'bench',
    'bootstrap.servers': brokers.join(','),
    'enable.idempotence': idempotent,
    'compression.codec': compression,
    acks: -1,
    dr_cb: true,
    ...settings,
  })
  const tell = (error: Error | null): void => (error ? sink.onFailed(1, error) : sink.onDelivered(1))
  producer.on('delivery-report', (error, report) => (report.opaque ?? tell)(error))
  producer.on('event.error', () => undefined)
  const produce = (
    topic: string,
    { key, value, headers }: Payload,
    opaque?: DeliveryReport['opaque'],
  ): void => producer.produce(topic, -1, value, key ?? null, 0, opaque, headers?.list)
  const submit = (topic: string, record: Payload): void => {
    try {
      produce(topic, record)
    } catch (error) {
      sink.onFailed(1, error)
    }
  }
  return {
    connect: async () => {
      await promisify((done: (error: Error | null) => void) => producer.connect({}, done))()
      // Delivery reports come by polling only: at the 100 ms of its examples the window would decide the figure.
      producer.setPollInterval(1)
    },
    submit,
    submitArray: (topic, records) => {
      for (const record of records) submit(topic, record)
    },
    send: (topic, record) =>
      new Promise((resolve, reject) =>
        produce(topic, record, error => (error === null ? resolve() : reject(error))),
      ),
    close: async () => {
      await promisify((done: (error: Error | null) => void) => producer.flush(10_000, done))()
      await promisify((done: (error: Error | null) => void) => producer.disconnect(done))()
    },
  }
}
