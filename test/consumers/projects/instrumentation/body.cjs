'use strict'
// Two messages through a producer and a consumer; prints the kinds of spans, whether the headers carry a context, and what was logged of it.
const { EmbeddedKafka } = require('kafkajs-resilient-producer/testing')

exports.serve = async (Kafka, traced = producer => producer) => {
  const cluster = await EmbeddedKafka.start()
  cluster.createTopic('orders', { partitions: 1 })
  const lines = []
  const kafka = new Kafka({
    brokers: cluster.bootstrap,
    logLevel: 4,
    logCreator: () => entry => lines.push(`${entry.label} ${entry.log.message}`),
  })
  const producer = traced(kafka.producer())
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] })
  const consumer = kafka.consumer({ groupId: 'billing' })
  await consumer.connect()
  await consumer.subscribe({ topic: 'orders', fromBeginning: true })
  let seen = 0
  await new Promise((resolve, reject) => {
    const eachMessage = async () => {
      if (++seen === 2) setImmediate(resolve)
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  await producer.disconnect()
  const kinds = ['INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER']
  const spans = globalThis.exporter.getFinishedSpans().map(({ kind }) => kinds[kind])
  const count = kind => spans.filter(each => each === kind).length
  const headers = cluster
    .records('orders')
    .filter(record => record.headers.some(({ key }) => key === 'traceparent'))
  const hints = lines.filter(line => /instrumentation/.test(line))
  console.log(
    `${count('PRODUCER')} sent, ${count('CONSUMER')} received, ${headers.length} with headers, ${hints.length} hints`,
  )
  await cluster.close()
}
