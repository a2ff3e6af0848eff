import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer } from 'kafkajs-resilient-producer'
import { Registry } from 'prom-client'

export interface ServiceSettings {
  readonly brokers: readonly string[]
  /** Records to these as long as the service runs. */
  readonly steady: readonly string[]
  /** Records to this one, which no broker creates, from PUT /missing to DELETE /missing. */
  readonly missing: string
  /** Until DELETE /fresh, a new topic of this name and a number every second, created by the broker. */
  readonly fresh: string
  readonly transactionalId: string
  readonly deliveryTimeoutMs: number
  readonly ackTimeoutMs: number
}

const SEND_EVERY_MS = 50
const EVERY_SECOND_MS = 1_000
const KEYS = 100

/** A service as users write it, with its metrics at /metrics; prints its port once it works. */
export const serve = async (settings: ServiceSettings): Promise<void> => {
  const { brokers, steady, missing, fresh, transactionalId, deliveryTimeoutMs, ackTimeoutMs } = settings
  const registry = new Registry()
  const kafka = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING })
  const options = { metrics: { registry }, deliveryTimeoutMs, ackTimeoutMs } as const
  const topics = { rules: [{ match: missing, create: 'never', waitForMs: 600_000 }] } as const
  const producer = createResilientProducer(kafka, { ...options, topics })
  const transactional = createResilientProducer(kafka, { ...options, transactionalId })
  await Promise.all([producer.connect(), transactional.connect()])

  let sent = 0
  const wanted = new Set(['/fresh'])
  const send = (topic: string): void => {
    const messages = [{ key: String(sent++ % KEYS), value: 'x'.repeat(100) }]
    // What fails is counted; what a service does with its errors is no matter here.
    producer.send({ topic, messages }).catch(() => undefined)
  }
  setInterval(() => {
    for (const topic of steady) send(topic)
    if (wanted.has('/missing')) send(missing)
  }, SEND_EVERY_MS)
  let freshTopics = 0
  setInterval(() => {
    if (wanted.has('/fresh')) send(`${fresh}-${freshTopics++}`)
  }, EVERY_SECOND_MS)
  const transact = async (): Promise<void> => {
    const transaction = await transactional.transaction()
    await transaction.send({ topic: steady[0]!, messages: [{ value: 'x' }] })
    await transaction.commit()
  }
  const transactForEver = (): void => {
    transact()
      .catch(() => undefined)
      .finally(() => setTimeout(transactForEver, EVERY_SECOND_MS))
  }
  transactForEver()

  const server = createServer((request, response) => {
    if (request.method !== 'GET') {
      if (request.method === 'PUT') wanted.add(request.url!)
      else wanted.delete(request.url!)
      response.end()
      return
    }
    registry.metrics().then(text => {
      response.setHeader('content-type', registry.contentType)
      response.end(text)
    })
  })
  server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port))
}
