// A service that is bundled: metrics, each codec, errors. What is native cannot be in a bundle: it is found where it is installed, or named.
import { gzipSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import {
  CompressionUnavailableError,
  createResilientProducer,
  ResilientKafka,
} from 'kafkajs-resilient-producer'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { Registry } from 'prom-client'

const { CompressionCodecs, CompressionTypes } = kafkajs

async function main() {
  const registry = new Registry()
  const cluster = await EmbeddedKafka.start({ autoCreate: { never: topic => topic === 'never' } })
  const kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 }, { metrics: { registry } })
  const producer = createResilientProducer(kafka, { topics: { create: 'broker' } })
  const metered = kafka.producer()
  await producer.connect()
  await metered.connect()
  const printed = []
  const send = (topic, compression) =>
    producer.send({ topic, compression, messages: [{ value: 'x'.repeat(50_000) }] }).then(
      () => 'delivered',
      error => `${error.name}${error instanceof CompressionUnavailableError ? '' : ' of another class'}`,
    )
  for (const codec of ['None', 'GZIP', 'ZSTD', 'Snappy', 'LZ4'])
    printed.push(`${codec} ${await send(`codec-${codec}`, CompressionTypes[codec])}`)
  // A codec that is registered with kafkajs is taken in a bundle too: they share one copy of kafkajs.
  let asked = 0
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: async ({ buffer }) => {
      asked++
      return gzipSync(buffer)
    },
  })
  printed.push(`registered ${await send('registered', CompressionTypes.GZIP)} ${asked}`)
  await metered.send({ topic: 'metered', messages: [{ value: 'x' }] })
  const refused = await metered
    .send({ topic: 'metered', messages: [{ value: 'x', partition: 99 }] })
    .catch(error => error)
  printed.push(refused.name, `${refused instanceof Error}`)
  const lines = (await registry.metrics()).split('\n')
  printed.push(lines.find(line => /^\w+records_sent_total /.test(line)) ?? 'no metrics')
  printed.push(
    lines.find(line => line.includes('records_failed_total{error="PartitionNotFoundError"}')) ?? 'no name',
  )
  await producer.disconnect()
  await metered.disconnect()
  await cluster.close()
  console.log(printed.join('; '))
}

main()
