import kafkajs = require('kafkajs')
import resilient = require('kafkajs-resilient-producer')
import testing = require('kafkajs-resilient-producer/testing')

async function main(): Promise<void> {
  const cluster = await testing.EmbeddedKafka.start()
  const kafka = new kafkajs.Kafka({ brokers: cluster.bootstrap, logLevel: kafkajs.logLevel.NOTHING })
  const producer: kafkajs.Producer = resilient.createResilientProducer(kafka)
  await producer.connect()
  await producer.send({ topic: 'a', messages: [{ value: '1' }, { value: '2' }] })
  await producer.send({ topic: 'b', messages: [{ value: '3' }] })
  await producer.disconnect()
  const delivered = ['a', 'b'].flatMap(topic => cluster.records(topic)).length
  await cluster.close()
  console.log(`delivered ${delivered} to 2 topics`)
}

void main()
