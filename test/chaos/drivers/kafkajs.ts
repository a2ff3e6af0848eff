import { appendFileSync } from 'node:fs'
import {
  Kafka,
  logLevel,
  type Message,
  type Producer,
  type ProducerConfig,
  type RecordMetadata,
} from 'kafkajs'
import {
  type Acknowledgement,
  CLIENT_ID,
  type Driver,
  type DriverOptions,
  type OfferedRecord,
  type OpenDriver,
} from './driver.js'

export const kafkaOf = ({ brokers, security, logFile }: DriverOptions): Kafka =>
  new Kafka({
    clientId: CLIENT_ID,
    brokers: [...brokers],
    logLevel: logFile === undefined ? logLevel.NOTHING : logLevel.DEBUG,
    ...(logFile !== undefined && {
      logCreator:
        () =>
        ({ label, log }) =>
          appendFileSync(logFile, `${label} ${JSON.stringify(log)}\n`),
    }),
    ...(security && {
      ssl: { ca: [security.ca] },
      sasl: { mechanism: 'scram-sha-256', username: security.username, password: security.password },
    }),
  })

const toMessage = ({ partition, key, value }: OfferedRecord): Message => ({
  value,
  ...(key && { key }),
  ...(partition !== undefined && { partition }),
})

const acknowledgementIn = (metadata: readonly RecordMetadata[]): Acknowledgement => {
  const [first] = metadata
  // It can resolve without having sent anything (issue 1303): recorded as acknowledged, as a caller would take it.
  if (first === undefined) return { partition: -1, offset: -1 }
  return { partition: first.partition, offset: Number(first.baseOffset ?? -1) }
}

/** A driver over anything with kafkajs's interface. */
export const driverOf = (producer: Pick<Producer, 'connect' | 'send' | 'disconnect'>): Driver => ({
  connect: () => producer.connect(),
  send: async record =>
    acknowledgementIn(await producer.send({ topic: record.topic, messages: [toMessage(record)] })),
  close: () => producer.disconnect(),
})

export const kafkajsWith =
  (config: ProducerConfig): OpenDriver =>
  async options =>
    driverOf(kafkaOf(options).producer(config))
