import type { OpenClient, Payload } from './client.js'
import { importPeer } from './peer.js'

interface CrabMessage {
  key?: Buffer
  payload: Buffer
  headers?: Record<string, Buffer>
}
interface Crab {
  KafkaClient: new (options: {
    brokers: string
    clientId: string
  }) => {
    createProducer(options: { configuration: Record<string, unknown> }): {
      send(record: { topic: string; messages: CrabMessage[] }): Promise<unknown>
      close?(): Promise<void>
      disconnect?(): Promise<void>
    }
  }
}

const toMessage = ({ key, value, headers }: Payload): CrabMessage => ({
  payload: value,
  ...(key && { key }),
  ...(headers && { headers: headers.byName }),
})

/** kafka-crab-js: Rust and librdkafka by N-API. */
export const open: OpenClient = async ({ brokers, idempotent, compression, settings }, sink) => {
  const { KafkaClient } = await importPeer<Crab>('node24/node_modules/kafka-crab-js/dist/index.js')
  const producer = new KafkaClient({ brokers: brokers.join(','), clientId: 'bench' }).createProducer({
    configuration: {
      acks: 'all',
      'enable.idempotence': idempotent,
      'compression.type': compression,
      ...settings,
    },
  })
  const send = (topic: string, messages: CrabMessage[]): Promise<unknown> =>
    producer.send({ topic, messages })
  const one = (): void => sink.onDelivered(1)
  const failedOne = (error: unknown): void => sink.onFailed(1, error)
  return {
    // It has no connect(): the connection is made by the first call.
    connect: async () => undefined,
    submit: (topic, record) => void send(topic, [toMessage(record)]).then(one, failedOne),
    submitArray: (topic, records) =>
      void send(topic, records.map(toMessage)).then(
        () => sink.onDelivered(records.length),
        error => sink.onFailed(records.length, error),
      ),
    send: async (topic, record) => {
      await send(topic, [toMessage(record)])
    },
    close: async () => {
      await (producer.close?.() ?? producer.disconnect?.())
    },
  }
}
