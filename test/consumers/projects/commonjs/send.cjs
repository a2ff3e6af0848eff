'use strict'
const assert = require('node:assert/strict')
const { Kafka, KafkaJSError, logLevel } = require('kafkajs')
const { createResilientProducer } = require('kafkajs-resilient-producer')
const { EmbeddedKafka } = require('kafkajs-resilient-producer/testing')

async function main() {
  const cluster = await EmbeddedKafka.start({ brokers: 1, autoCreate: { never: topic => topic === 'never' } })
  const kafka = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING })
  const producer = createResilientProducer(kafka, { metadataRetry: { retries: 2, minTimeoutMs: 1 } })
  await producer.connect()
  const [sent] = await producer.send({
    topic: 'orders',
    messages: [{ key: 'a', value: '1' }, { value: '2' }],
  })
  assert.equal(sent.topicName, 'orders')
  await producer.sendBatch({ topicMessages: [{ topic: 'payments', messages: [{ value: '3' }] }] })
  // The user's own kafkajs: a second copy would break instanceof.
  await assert.rejects(
    producer.send({ topic: 'never', messages: [{ value: 'x' }] }),
    error => error instanceof KafkaJSError,
  )
  await producer.disconnect()
  const values = ['orders', 'payments']
    .flatMap(topic => cluster.records(topic))
    .map(({ value }) => String(value))
  assert.deepEqual(values.sort(), ['1', '2', '3'])
  await cluster.close()
  console.log(`delivered ${values.length} to 2 topics`)
}

main()
