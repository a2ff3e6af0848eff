import { pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import { Kafka } from 'kafkajs'

/**
 * Takes orders over HTTP, writes each to the topic of its shop, and follows the topic of payments.
 *
 * @param {{ brokers: string[] }} options
 */
export async function createService({ brokers }) {
  const kafka = new Kafka({ clientId: 'orders', brokers })
  const producer = kafka.producer()
  const consumer = kafka.consumer({ groupId: 'orders', maxWaitTimeInMs: 500 })
  const paid = new Set()

  const service = Fastify()
  service.post('/shops/:shop/orders', { schema }, async (request, reply) => {
    const order = request.body
    const [written] = await producer.send({
      topic: `orders.${request.params.shop}`,
      messages: [{ key: order.id, value: JSON.stringify(order) }],
    })
    return reply.code(202).send({ partition: written.partition, offset: written.baseOffset })
  })
  service.get('/orders/:id', async request => ({ id: request.params.id, paid: paid.has(request.params.id) }))

  service.addHook('onReady', async () => {
    await producer.connect()
    await consumer.connect()
    await consumer.subscribe({ topics: ['payments'], fromBeginning: true })
    await consumer.run({
      eachMessage: async ({ message }) => {
        paid.add(String(message.key))
      },
    })
  })
  service.addHook('onClose', async () => {
    await consumer.disconnect()
    await producer.disconnect()
  })
  return service
}

const schema = {
  body: {
    type: 'object',
    required: ['id', 'total'],
    properties: { id: { type: 'string' }, total: { type: 'number' } },
  },
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const brokers = (process.env.KAFKA_BROKERS ?? 'localhost:9092').split(',')
  const service = await createService({ brokers })
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void service.close())
  console.log(`listening on ${await service.listen({ port: Number(process.env.PORT ?? 3000) })}`)
}
