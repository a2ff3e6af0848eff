import { Kafka, logLevel, type Message } from 'kafkajs'
import type { Client, OpenClient, Payload } from './client.js'
import { CODECS } from './codecs.js'

export const toMessage = ({ key, value, headers }: Payload): Message => {
  if (headers === undefined) return key === undefined ? { value } : { key, value }
  return { key: key ?? null, value, headers: headers.byName }
}

/** kafkajs 2.2.4, the client that this package replaces. */
export const open: OpenClient = async ({ brokers, idempotent, compression, settings }, sink) => {
  const kafka = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING })
  const producer = kafka.producer({ idempotent, ...settings })
  const codec = CODECS[compression]
  const one = (): void => sink.onDelivered(1)
  const failedOne = (error: unknown): void => sink.onFailed(1, error)
  return {
    connect: () => producer.connect(),
    submit: (topic, record) =>
      void producer.send({ topic, compression: codec, messages: [toMessage(record)] }).then(one, failedOne),
    submitArray: (topic, records) =>
      void producer.send({ topic, compression: codec, messages: records.map(toMessage) }).then(
        () => sink.onDelivered(records.length),
        error => sink.onFailed(records.length, error),
      ),
    send: async (topic, record) => {
      await producer.send({ topic, compression: codec, messages: [toMessage(record)] })
    },
    close: () => producer.disconnect(),
  } satisfies Client
}
