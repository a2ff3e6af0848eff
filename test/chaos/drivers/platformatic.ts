import { importPeer } from '../../../bench/clients/peer.js'
import { CLIENT_ID, type OpenDriver } from './driver.js'

interface PlatformaticMessage {
  topic: string
  key?: Buffer
  value: Buffer
  partition?: number
}
interface PlatformaticProducer {
  send(options: { messages: PlatformaticMessage[]; acks: -1; autocreateTopics: true }): Promise<{
    offsets?: { partition: number; offset: bigint }[]
  }>
  metadata(options: { topics: string[] }): Promise<unknown>
  close(): Promise<void>
}
interface Platformatic {
  Producer: new (options: Record<string, unknown>) => PlatformaticProducer
}

/** @platformatic/kafka 1.35, its newest for Node 20. */
export const platformaticWith =
  (idempotent: boolean): OpenDriver =>
  async ({ brokers, security }) => {
    const { Producer } = await importPeer<Platformatic>('node_modules/@platformatic/kafka/dist/index.js')
    const producer = new Producer({
      clientId: CLIENT_ID,
      bootstrapBrokers: [...brokers],
      idempotent,
      ...(security && {
        tls: { ca: [security.ca] },
        sasl: { mechanism: 'SCRAM-SHA-256', username: security.username, password: security.password },
      }),
    })
    return {
      // It has no connect(): the connection is made by the first call.
      connect: async () => {
        await producer.metadata({ topics: [] })
      },
      async send({ topic, partition, key, value }) {
        const message = { topic, value, ...(key && { key }), ...(partition !== undefined && { partition }) }
        const { offsets } = await producer.send({ messages: [message], acks: -1, autocreateTopics: true })
        const first = offsets?.[0]
        return { partition: first?.partition ?? -1, offset: Number(first?.offset ?? -1) }
      },
      close: () => producer.close(),
    }
  }
