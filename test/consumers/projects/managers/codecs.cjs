'use strict'
// What a strict package manager must let through: the peer kafkajs, and the optional peers of this package, from this package's own place.
const { CompressionTypes, Kafka } = require('kafkajs')
const { CompressionUnavailableError, createResilientProducer } = require('kafkajs-resilient-producer')
const { EmbeddedKafka } = require('kafkajs-resilient-producer/testing')

async function main() {
  const cluster = await EmbeddedKafka.start()
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: 0 })
  // The global registry of prom-client, which this package has to find.
  const producer = createResilientProducer(kafka, { metrics: {} })
  await producer.connect()
  const printed = []
  for (const codec of ['GZIP', 'Snappy', 'LZ4']) {
    const messages = [{ value: 'x'.repeat(1000) }]
    await producer.send({ topic: codec, compression: CompressionTypes[codec], messages }).then(
      () => printed.push(codec),
      error =>
        printed.push(
          error instanceof CompressionUnavailableError ? `${codec} is not installed` : String(error),
        ),
    )
  }
  await producer.disconnect()
  await cluster.close()
  const metrics = await require('prom-client').register.metrics()
  printed.push(/records_sent_total \d/.exec(metrics)?.[0])
  console.log(printed.join(', '))
}

main()
