'use strict'
// import and require() in one program: one copy of each class, and of what the modules remember.
const assert = require('node:assert/strict')
const { Worker, isMainThread, parentPort, workerData } = require('node:worker_threads')
const kafkajs = require('kafkajs')

const SUBPATHS = ['', '/testing', '/opentelemetry']

async function deliver({ createResilientProducer, ResilientKafka }, { EmbeddedKafka }, { traced }, registry) {
  const cluster = await EmbeddedKafka.start()
  const kafka = new ResilientKafka({ brokers: cluster.bootstrap, logLevel: 0 })
  assert.ok(kafka instanceof kafkajs.Kafka)
  const producer = traced(createResilientProducer(kafka, { metrics: { registry } }))
  assert.equal(traced(producer), producer)
  await producer.connect()
  await producer.send({ topic: 'orders', messages: [{ value: '1' }] })
  const error = await producer
    .send({ topic: 'orders', messages: [{ value: 'x', partition: 99 }] })
    .catch(thrown => thrown)
  await producer.disconnect()
  await cluster.close()
  return error
}

async function main() {
  for (const subpath of SUBPATHS) {
    const name = `kafkajs-resilient-producer${subpath}`
    const [required, imported, again] = [require(name), await import(name), await import(name)]
    assert.equal(imported, again)
    const names = Object.keys(imported).filter(each => each !== 'default' && each !== 'module.exports')
    assert.deepEqual(names.sort(), Object.keys(required).sort())
    for (const each of names) assert.equal(imported[each], required[each], each)
  }
  const { Registry } = require('prom-client')
  const registry = new Registry()
  const form = async load => [await load(''), await load('/testing'), await load('/opentelemetry')]
  const required = await form(subpath => require(`kafkajs-resilient-producer${subpath}`))
  const imported = await form(subpath => import(`kafkajs-resilient-producer${subpath}`))
  // A registry and a prefix are shared by both, and an error of either is one of the other.
  const errors = [await deliver(...required, registry), await deliver(...imported, registry)]
  for (const error of errors)
    for (const [{ PartitionNotFoundError }] of [required, imported])
      assert.ok(error instanceof PartitionNotFoundError)
  assert.match(await registry.metrics(), /kafka_resilient_producer_records_sent_total 2/)
  const worker = new Worker(__filename, { workerData: 'deliver' })
  assert.equal(
    await new Promise((done, fail) => worker.once('message', done).once('error', fail)),
    'PartitionNotFoundError',
  )
  console.log('one copy')
}

if (isMainThread) main()
else {
  assert.equal(workerData, 'deliver')
  const { Registry } = require('prom-client')
  deliver(
    require('kafkajs-resilient-producer'),
    require('kafkajs-resilient-producer/testing'),
    require('kafkajs-resilient-producer/opentelemetry'),
    new Registry(),
  ).then(error => parentPort.postMessage(error.name))
}
