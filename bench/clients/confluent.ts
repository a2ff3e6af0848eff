import type { OpenClient, Payload } from './client.js'
import { importPeer } from './peer.js'

interface ConfluentMessage {
  key?: Buffer
  value: Buffer
  headers?: Record<string, Buffer>
}
interface ConfluentProducer {
  connect(): Promise<void>
  send(options: { topic: string; messages: ConfluentMessage[] }): Promise<unknown>
  disconnect(): Promise<void>
}
interface Confluent {
  default: {
    KafkaJS: { Kafka: new (config: unknown) => { producer(config: unknown): ConfluentProducer } }
  }
}

const toMessage = ({ key, value, headers }: Payload): ConfluentMessage => ({
  value,
  ...(key && { key }),
  ...(headers && { headers: headers.byName }),
})

/** @confluentinc/kafka-javascript, its kafkajs-like interface over librdkafka. */
export const open: OpenClient = async ({ brokers, idempotent, compression, settings }, sink) => {
  const { KafkaJS } = (
    await importPeer<Confluent>('node_modules/@confluentinc/kafka-javascript/lib/index.js')
  ).default
  const producer = new KafkaJS.Kafka({ kafkaJS: { clientId: 'bench', brokers, logLevel: 0 } }).producer({
    kafkaJS: { acks: -1, idempotent, compression },
    ...settings,
  })
  const one = (): void => sink.onDelivered(1)
  const failedOne = (error: unknown): void => sink.onFailed(1, error)
  return {
    connect: () => producer.connect(),
    submit: (topic, record) =>
      void producer.send({ topic, messages: [toMessage(record)] }).then(one, failedOne),
    submitArray: (topic, records) =>
      void producer.send({ topic, messages: records.map(toMessage) }).then(
        () => sink.onDelivered(records.length),
        error => sink.onFailed(records.length, error),
      ),
    send: async (topic, record) => {
      await producer.send({ topic, messages: [toMessage(record)] })
    },
    close: () => producer.disconnect(),
  }
}
