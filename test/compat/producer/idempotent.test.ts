import '../support/production.js'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readLogs } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { clientsOf, numbered } from '../support/clients.js'
import { refusal } from '../support/produceRequests.js'
import { createTopics } from '../support/topics.js'
import { Wiretap } from '../support/wiretap.js'

const NOT_ENOUGH_REPLICAS = 19
/** Beyond the five that kafkajs gives a producer which is told nothing else. */
const FAILURES = 8

forEachBroker('src/producer/index.spec.js', { real: 'shared' }, broker => {
  const { producer, connected } = clientsOf(broker)

  describe('Producer', () => {
    describe('when idempotent=true', () => {
      test('throws an error if sending a message with acks != -1', async () => {
        const topic = uniqueTopic('acks')
        const sender = await connected({ idempotent: true })
        for (const acks of [1, 0]) {
          const error = await failureOf(sender.send({ acks, topic, messages: numbered(10) }))
          expect(error).toBeInstanceOf(kafkajs.KafkaJSNonRetriableError)
          expect(error.message).toBe(
            "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
          )
        }
      })

      test('sets the default retry value to MAX_SAFE_INTEGER', async () => {
        const tap = new Wiretap()
        const topic = uniqueTopic('patient')
        await createTopics(broker, { topic })
        const options = { retry: { minTimeoutMs: 1, maxTimeoutMs: 1 } }
        const kafka = { socketFactory: tap.socketFactory }
        const sender = await connected({ idempotent: true }, { kafka, options })
        for (let i = 0; i < FAILURES; i++) tap.next('Produce', { instead: refusal(NOT_ENOUGH_REPLICAS) })
        await sender.send({ topic, messages: [{ value: 'a' }] })
        expect(tap.of('Produce')).toHaveLength(FAILURES + 1)
        expect(await readLogs(broker.bootstrap, [topic])).toHaveLength(1)
      })

      test('throws an error if retries < 1', () => {
        const make = () => producer({ idempotent: true, retry: { retries: 0 } })
        expect(make).toThrow(kafkajs.KafkaJSNonRetriableError)
        expect(make).toThrow(/^Idempotent producer must allow retries to protect against transient errors$/)
      })

      test('only calls initProducerId if unitialized', async () => {
        const tap = new Wiretap()
        const sender = await connected({ idempotent: true }, { kafka: { socketFactory: tap.socketFactory } })
        const asked = tap.of('InitProducerId').length
        expect(asked).toBeGreaterThan(0)
        await sender.connect()
        expect(tap.of('InitProducerId')).toHaveLength(asked)
      })
    })
  })
})
