import { createResilientProducer, ResilientKafka } from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'

export const dynamic = 'force-dynamic'

/** Places an order on a cluster of its own, and says what was delivered. */
export async function GET() {
  const cluster = await EmbeddedKafka.start()
  const registry = new Registry()
  const kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 })
  const producer = createResilientProducer(kafka, { metrics: { registry } })
  await producer.connect()
  const value = new TextEncoder().encode('new')
  await producer.send({ topic: 'orders', messages: [{ key: '7', value }] })
  const refused = await producer
    .send({ topic: 'orders', messages: [{ value, partition: 99 }] })
    .catch(({ name }) => name)
  await producer.disconnect()
  const delivered = cluster.records('orders').map(record => String(record.value))
  await cluster.close()
  const counted = /^kafka_resilient_producer_records_sent_total (\d+)$/m.exec(await registry.metrics())?.[1]
  return Response.json({ delivered, refused, counted })
}
