import { createRequire } from 'node:module'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { projectFile } from '../cluster/projectFile.js'
import { buildKfake, runProgram } from './programs.js'

/*
 * Clients of other makes on the embedded cluster, beside kcat and Java's tools (embedded-tools.test.ts): franz-go, and the newest librdkafka
 * by Confluent's and by node-rdkafka's packages, where the benchmarks' clients are installed (npm ci --prefix bench/peers).
 */
const franz = await buildKfake()

const peer = (name: string): unknown => {
  try {
    return createRequire(projectFile('bench/peers/package.json'))(name)
  } catch {
    return undefined
  }
}

let cluster: EmbeddedKafka
beforeEach(async () => {
  cluster = await EmbeddedKafka.start({ brokers: 3, autoCreate: { partitions: 1 } })
})
// A client that ends does not wait until its connections have.
afterEach(() => cluster.close({ clients: 'may-stay' }))

const stored = (topic: string) =>
  cluster.records(topic, undefined, 'committed').map(({ value }) => `${value}`)

const franzPath = 'path' in franz ? franz.path : ''
describe.skipIf(franzPath === '')('path' in franz ? 'franz-go' : `franz-go [${franz.reason}]`, () => {
  const franzGo = (command: string, args: readonly string[], lines: readonly string[] = []) =>
    runProgram(franzPath, [command, cluster.bootstrap.join(','), ...args], lines)

  test('writes idempotently to a topic that is not there yet, and reads it', async () => {
    await franzGo('produce', ['new'], ['a', 'b', 'c'])
    expect(stored('new')).toEqual(['a', 'b', 'c'])
    expect(cluster.records('new').every(({ producerId }) => producerId >= 0)).toBe(true)
    expect(await franzGo('read', ['new', '3'])).toEqual(['a', 'b', 'c'])
  })

  test('commits a transaction', async () => {
    await franzGo('transact', ['paid'], ['a', 'b'])
    expect(stored('paid')).toEqual(['a', 'b'])
  })
})

interface ConfluentProducer {
  connect(): Promise<void>
  send(record: { topic: string; messages: { value: string }[] }): Promise<unknown>
  disconnect(): Promise<void>
}
const confluent = peer('@confluentinc/kafka-javascript') as
  | { KafkaJS: { Kafka: new (config: object) => { producer(config: object): ConfluentProducer } } }
  | undefined

describe.skipIf(confluent === undefined)(
  confluent ? 'Confluent’s client' : 'Confluent’s client [not installed]',
  () => {
    test('writes idempotently with the newest librdkafka', async () => {
      const kafka = new confluent!.KafkaJS.Kafka({ kafkaJS: { brokers: cluster.bootstrap } })
      cluster.createTopic('t')
      const producer = kafka.producer({ kafkaJS: { idempotent: true } })
      await producer.connect()
      await producer.send({ topic: 't', messages: [{ value: 'a' }, { value: 'b' }] })
      await producer.disconnect()
      expect(stored('t')).toEqual(['a', 'b'])
    })
  },
)
