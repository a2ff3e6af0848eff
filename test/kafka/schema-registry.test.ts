import schemaRegistry from '@kafkajs/confluent-schema-registry'
import { logLevel } from 'kafkajs'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from './suite.js'
import { type SchemaRegistryServer, startSchemaRegistry } from './support/schemaRegistry.js'

const { SchemaRegistry, SchemaType } = schemaRegistry

const AVRO = {
  type: 'record',
  name: 'Order',
  namespace: 'shop',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'total', type: 'double' },
    { name: 'note', type: ['null', 'string'], default: null },
  ],
}
const JSON_SCHEMA = {
  $id: 'https://shop.test/order.json',
  type: 'object',
  properties: { id: { type: 'string' }, total: { type: 'number' } },
  required: ['id', 'total'],
}
const PROTOBUF = `
  syntax = "proto3";
  package shop;
  message Order { string id = 1; double total = 2; }
`

let server: SchemaRegistryServer
beforeAll(async () => {
  server = await startSchemaRegistry()
})
afterAll(() => server.close())

forEachBroker('payloads of @kafkajs/confluent-schema-registry', { real: 'shared' }, broker => {
  test.each([
    ['Avro', { type: SchemaType.AVRO, schema: JSON.stringify(AVRO) }],
    ['JSON Schema', { type: SchemaType.JSON, schema: JSON.stringify(JSON_SCHEMA) }],
    ['Protobuf', { type: SchemaType.PROTOBUF, schema: PROTOBUF }],
  ] as const)('%s goes out by our producer and comes back by its consumer', async (_, schema) => {
    const topic = uniqueTopic('orders')
    const registry = new SchemaRegistry({ host: server.host })
    const { id } = await registry.register(schema, { subject: `${topic}-value` })
    const orders = Array.from({ length: 20 }, (_, i) => ({ id: `o-${i}`, total: i / 4 }))

    const kafka = new ResilientKafka({ brokers: broker.bootstrap, logLevel: logLevel.NOTHING })
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({
      topic,
      messages: await Promise.all(
        orders.map(async order => ({
          key: order.id,
          partition: 0,
          value: await registry.encode(id, order),
        })),
      ),
    })
    await producer.disconnect()

    const consumer = kafka.consumer({ groupId: topic })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    const received: unknown[] = []
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            received.push({ ...(await registry.decode(message.value!)) })
            if (received.length === orders.length) resolve()
          },
        })
        .catch(reject)
    })
    await consumer.disconnect()
    expect(received).toMatchObject(orders)
  })
})
