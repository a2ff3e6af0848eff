import type { OpenClient, Payload } from './client.js'
import { importPeer } from './peer.js'

interface PlatformaticMessage {
  topic: string
  key?: Buffer
  value: Buffer
  headers?: Map<Buffer, Buffer>
}
interface PlatformaticProducer {
  send(options: { messages: PlatformaticMessage[]; acks: -1; autocreateTopics: true }): Promise<unknown>
  metadata(options: { topics: string[] }): Promise<unknown>
  close(): Promise<void>
}
interface Platformatic {
  Producer: new (options: Record<string, unknown>) => PlatformaticProducer
}

const toMessage = (topic: string, { key, value, headers }: Payload): PlatformaticMessage => ({
  topic,
  value,
  ...(key && { key }),
  ...(headers && { headers: headers.map }),
})

const openFrom =
  (entry: string): OpenClient =>
  async ({ brokers, idempotent, compression, settings }, sink) => {
    const { Producer } = await importPeer<Platformatic>(entry)
    const producer = new Producer({
      clientId: 'bench',
      bootstrapBrokers: brokers,
      idempotent,
      ...(compression !== 'none' && { compression }),
      ...settings,
    })
    const send = (messages: PlatformaticMessage[]): Promise<unknown> =>
      producer.send({ messages, acks: -1, autocreateTopics: true })
    const one = (): void => sink.onDelivered(1)
    const failedOne = (error: unknown): void => sink.onFailed(1, error)
    return {
      // It has no connect(): the connection is made by the first call.
      connect: async () => {
        await producer.metadata({ topics: [] })
      },
      submit: (topic, record) => void send([toMessage(topic, record)]).then(one, failedOne),
      submitArray: (topic, records) =>
        void send(records.map(record => toMessage(topic, record))).then(
          () => sink.onDelivered(records.length),
          error => sink.onFailed(records.length, error),
        ),
      send: async (topic, record) => {
        await send([toMessage(topic, record)])
      },
      close: () => producer.close(),
    }
  }

/** @platformatic/kafka 1.35, its newest for Node 20. */
export const open = openFrom('node_modules/@platformatic/kafka/dist/index.js')
/** Its newest, which needs Node 22 or 24. */
export const openNewest = openFrom('node24/node_modules/@platformatic/kafka/dist/index.js')
