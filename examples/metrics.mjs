// Retries, waits and failures as Prometheus metrics, on the registry of the service. GET /metrics
import { createServer } from 'node:http'
import { ResilientKafka } from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'

const registry = new Registry()
const kafka = new ResilientKafka({ brokers: process.env.KAFKA_BROKERS.split(',') }, { metrics: { registry } })
const producer = kafka.producer()
await producer.connect()
await producer.send({ topic: 'orders', messages: [{ value: 'one' }, { value: 'two' }] })

const server = createServer(async (_request, response) => response.end(await registry.metrics()))
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => console.log(`port ${server.address().port}`))
process.once('SIGTERM', () => producer.disconnect().then(() => server.close()))
