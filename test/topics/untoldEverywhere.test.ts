import { Kafka, logLevel } from 'kafkajs'
import { createResilientProducer, ResilientKafka } from 'kafkajs-resilient-producer'
import { EmbeddedKafka, errorCode } from 'kafkajs-resilient-producer/testing'
import { afterEach, expect, it } from 'vitest'
import { TopicCreationDisabledError } from '../../src/errors/index.js'

const CLUSTER_AUTHORIZATION_FAILED = 31

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

it('sends, transactions and subscriptions name auto-creation where it is off and may not be read', async () => {
  const cluster = await EmbeddedKafka.start({ autoCreate: false })
  ends.push(() => cluster.close())
  cluster.on('DescribeConfigs', errorCode(CLUSTER_AUTHORIZATION_FAILED), { times: Number.POSITIVE_INFINITY })
  const config = { brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }
  const messages = [{ value: 'x' }]

  const producer = createResilientProducer(new Kafka(config))
  const transactional = createResilientProducer(new Kafka(config), { transactionalId: 'tx' })
  const consumer = new ResilientKafka(config).consumer({ groupId: 'g' })
  for (const each of [producer, transactional, consumer]) {
    await each.connect()
    ends.push(() => each.disconnect())
  }
  const transaction = await transactional.transaction()
  const outcomes = await Promise.allSettled([
    producer.send({ topic: 'a', messages }),
    transaction.send({ topic: 'b', messages }),
    consumer.subscribe({ topic: 'c' }),
  ])
  await transaction.abort()
  const errors = outcomes.map(each => (each.status === 'rejected' ? each.reason : undefined))
  expect(errors.map(each => each?.topic)).toEqual(['a', 'b', 'c'])
  for (const error of errors) {
    expect(error).toBeInstanceOf(TopicCreationDisabledError)
    expect(error.message).toMatch(/auto\.create\.topics\.enable cannot be read, and is most likely false/)
  }
  // What was concluded is remembered: no long wait for the next one.
  const before = cluster.journal.of('Metadata').length
  await expect(producer.send({ topic: 'd', messages })).rejects.toMatchObject({ topic: 'd', attempts: 1 })
  expect(cluster.journal.of('Metadata').length - before).toBeLessThanOrEqual(2)
  expect(cluster.journal.of('CreateTopics').length).toBeGreaterThan(0)
})
