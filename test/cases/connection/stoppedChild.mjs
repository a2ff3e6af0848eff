// Sends records until it is told to end. It is stopped and goes on meanwhile.
import net from 'node:net'
import { pathToFileURL } from 'node:url'
import { logLevel } from 'kafkajs'

const [, , library, broker] = process.argv
const { createResilientProducer } = await import(pathToFileURL(library))

let connections = 0
let sent = 0
let failed = 0
const producer = createResilientProducer(
  {
    brokers: [broker],
    logLevel: logLevel.NOTHING,
    requestTimeout: 3_000,
    connectionTimeout: 1_000,
    socketFactory: ({ host, port, onConnect }) => {
      connections++
      return net.connect({ host, port }, onConnect)
    },
  },
  { requestTimeoutMs: 3_000, ackTimeoutMs: 1_000, deliveryTimeoutMs: 30_000 },
)
await producer.connect()
const outstanding = new Set()
const sending = setInterval(() => {
  for (let i = 0; i < 5; i++) {
    const record = producer.send({ topic: 't', messages: [{ value: `${sent++}`, partition: 0 }] })
    outstanding.add(record)
    record.catch(() => failed++).finally(() => outstanding.delete(record))
  }
}, 1)
setTimeout(() => process.send({ connections, failed, sent }), 500)
process.once('message', async () => {
  await new Promise(resolve => setTimeout(resolve, 300))
  clearInterval(sending)
  await Promise.allSettled([...outstanding])
  process.send({ connections, failed, sent })
  await producer.disconnect()
  process.disconnect()
})
