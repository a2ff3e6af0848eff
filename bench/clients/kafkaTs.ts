import type { OpenClient, Payload } from './client.js'
import { importPeer } from './peer.js'

interface KafkaTsMessage {
  topic: string
  key?: string
  value: string
  headers?: Record<string, string>
}
interface KafkaTs {
  default: {
    createKafkaClient(options: { clientId: string; bootstrapServers: { host: string; port: number }[] }): {
      createProducer(options: Record<string, unknown>): {
        send(messages: KafkaTsMessage[]): Promise<void>
        close(): Promise<void>
      }
    }
  }
}

const addressOf = (broker: string): { host: string; port: number } => {
  const at = broker.lastIndexOf(':')
  return { host: broker.slice(0, at), port: Number(broker.slice(at + 1)) }
}

/** It takes text alone: what is random bytes for the others is as many Latin letters here. */
const textOf = (bytes: Buffer): string => bytes.toString('hex').slice(0, bytes.length)

/** kafka-ts: idempotent by itself, without an option. */
export const open: OpenClient = async ({ brokers, settings }, sink) => {
  const { createKafkaClient } = (await importPeer<KafkaTs>('node_modules/kafka-ts/dist/index.js')).default
  const client = createKafkaClient({ clientId: 'bench', bootstrapServers: brokers.map(addressOf) })
  const producer = client.createProducer({ allowTopicAutoCreation: true, ...settings })
  const texts = new Map<Payload, Omit<KafkaTsMessage, 'topic'>>()
  const toMessage = (topic: string, record: Payload): KafkaTsMessage => {
    let text = texts.get(record)
    if (text === undefined) {
      const { key, value, headers } = record
      text = {
        value: textOf(value),
        ...(key && { key: key.toString() }),
        ...(headers && {
          headers: Object.fromEntries(
            Object.entries(headers.byName).map(([name, bytes]) => [name, textOf(bytes)]),
          ),
        }),
      }
      texts.set(record, text)
    }
    return { topic, ...text }
  }
  const one = (): void => sink.onDelivered(1)
  const failedOne = (error: unknown): void => sink.onFailed(1, error)
  return {
    // It has no connect(): the connection is made by the first call.
    connect: async () => undefined,
    submit: (topic, record) => void producer.send([toMessage(topic, record)]).then(one, failedOne),
    submitArray: (topic, records) =>
      void producer.send(records.map(record => toMessage(topic, record))).then(
        () => sink.onDelivered(records.length),
        error => sink.onFailed(records.length, error),
      ),
    send: (topic, record) => producer.send([toMessage(topic, record)]),
    close: () => producer.close(),
  }
}
