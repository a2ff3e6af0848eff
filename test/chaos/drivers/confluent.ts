import { importPeer } from '../../../bench/clients/peer.js'
import { CLIENT_ID, DELIVERY_TIMEOUT_MS, type OpenDriver } from './driver.js'

interface ConfluentMessage {
  key?: Buffer
  value: Buffer
  partition?: number
}
interface ConfluentProducer {
  connect(): Promise<void>
  send(options: {
    topic: string
    messages: ConfluentMessage[]
  }): Promise<{ partition: number; baseOffset?: string; offset?: string }[]>
  disconnect(): Promise<void>
}
interface Confluent {
  default: {
    KafkaJS: { Kafka: new (config: unknown) => { producer(config: unknown): ConfluentProducer } }
  }
}

/** @confluentinc/kafka-javascript (librdkafka), idempotent, by its kafkajs-like interface. */
export const open: OpenDriver = async ({ brokers, security }) => {
  const { KafkaJS } = (
    await importPeer<Confluent>('node_modules/@confluentinc/kafka-javascript/lib/index.js')
  ).default
  const kafka = new KafkaJS.Kafka({
    kafkaJS: { clientId: CLIENT_ID, brokers: [...brokers], logLevel: 0 },
    ...(security && {
      'security.protocol': 'sasl_ssl',
      'ssl.ca.pem': security.ca,
      'sasl.mechanism': 'SCRAM-SHA-256',
      'sasl.username': security.username,
      'sasl.password': security.password,
    }),
  })
  const producer = kafka.producer({
    kafkaJS: { acks: -1, idempotent: true },
    'delivery.timeout.ms': DELIVERY_TIMEOUT_MS,
  })
  return {
    connect: () => producer.connect(),
    async send({ topic, partition, key, value }) {
      const message = { value, ...(key && { key }), ...(partition !== undefined && { partition }) }
      const [first] = await producer.send({ topic, messages: [message] })
      return { partition: first?.partition ?? -1, offset: Number(first?.baseOffset ?? first?.offset ?? -1) }
    },
    close: () => producer.disconnect(),
  }
}
