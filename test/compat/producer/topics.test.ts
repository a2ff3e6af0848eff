import '../support/production.js'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { withAdmin } from '../../kafka/support/admin.js'
import { failureOf } from '../../kafka/support/producing.js'
import { clientsOf, metadata } from '../support/clients.js'
import { createTopics } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

const messages = [{ key: 'key', value: 'value' }]

forEachBroker('src/producer/__tests__/producingToInvalidTopic.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer > Producing to invalid topics', () => {
    test('it rejects when producing to an invalid topic name, but is able to subsequently produce to a valid topic', async () => {
      const topic = uniqueTopic('valid')
      await createTopics(broker, { topic })
      const producer = await connected()
      const error = await failureOf(producer.send({ topic: `${topic}-abc)(*&^%`, messages }))
      expect(error).toBeInstanceOf(kafkajs.KafkaJSProtocolError)
      expect(error).toMatchObject({ type: 'INVALID_TOPIC_EXCEPTION', code: 17, retriable: false })
      expect(error.message).toContain('The request attempted to perform an operation on an invalid topic')
      expect(await producer.send({ topic, messages })).toEqual([metadata(topic, '0')])
    })
  })
})

forEachBroker('src/producer/__tests__/producingToDeletedTopic.spec.js', { real: 'shared' }, broker => {
  const { connected } = clientsOf(broker)

  describe('Producer', () => {
    describe('producing to a deleted topic', () => {
      test('refreshes metadata and ', async () => {
        const topic = uniqueTopic('deleted')
        await createTopics(broker, { topic })
        const tap = new Wiretap()
        const producer = await connected({}, { kafka: { socketFactory: tap.socketFactory } })
        await producer.send({ topic, messages })
        await withAdmin(broker, admin => admin.deleteTopics({ topics: [topic] }))
        const asked = tap.of('Metadata').length
        // It is created anew, as a topic that was never there.
        expect(await producer.send({ topic, messages })).toEqual([metadata(topic, '0')])
        expect(tap.of('Metadata').length).toBeGreaterThan(asked)
      })
    })
  })
})
