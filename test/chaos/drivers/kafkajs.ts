import { appendFileSync } from 'node:fs'
import {
  Kafka,
  logLevel,
  type Message,
  type Producer,
  type ProducerConfig,
  type ProducerRecord,
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

type Login = { mechanism: 'scram-sha-256'; username: string; password: string }

export const loginOf = ({ security }: DriverOptions): Login | undefined =>
  security && { mechanism: 'scram-sha-256', username: security.username, password: security.password }

export const kafkaOf = ({ brokers, security, logFile }: DriverOptions, login?: Login): Kafka =>
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
    }),
    ...(login && { sasl: login }),
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

/** kafkajs itself passes over the signal. */
const toCall = (record: OfferedRecord): ProducerRecord & { signal?: AbortSignal } => ({
  topic: record.topic,
  messages: [toMessage(record)],
  ...(record.patienceMs !== undefined && { signal: AbortSignal.timeout(record.patienceMs) }),
})

/**
 * A driver over anything with kafkajs's interface.
 *
 * @param login read at each connect
 */
export const driverOf = (
  producer: Pick<Producer, 'connect' | 'send' | 'disconnect'>,
  login?: { username: string },
): Driver => ({
  connect: () => producer.connect(),
  send: async record => acknowledgementIn(await producer.send(toCall(record))),
  ...(login !== undefined && {
    useUser: username => {
      login.username = username
    },
  }),
  close: () => producer.disconnect(),
})

export const kafkajsWith =
  (config: ProducerConfig): OpenDriver =>
  async options => {
    const login = loginOf(options)
    return driverOf(kafkaOf(options, login).producer(config), login)
  }
