import '../support/production.js'
import type { Message, ProducerRecord } from 'kafkajs'
import kafkajs from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { readLogs } from '../../kafka/support/logs.js'
import { failureOf } from '../../kafka/support/producing.js'
import { clientsOf } from '../support/clients.js'
import { hasProductionRetries } from '../support/production.js'
import { Wiretap } from '../support/wiretap.js'

forEachBroker('src/producer/index.spec.js', { real: 'shared' }, broker => {
  const { producer, connected } = clientsOf(broker)
  const one = [{ key: 'key', value: 'value' }]

  describe('Producer', () => {
    test('throws an error if the topic is invalid', async () => {
      const error = await failureOf(producer().send({ acks: 1, topic: null } as unknown as ProducerRecord))
      expect(error).toMatchObject({ message: 'Invalid topic', retriable: false })
    })

    test('throws an error if messages is invalid', async () => {
      const topic = uniqueTopic('messages')
      const record = { acks: 1, topic, messages: null } as unknown as ProducerRecord
      const error = await failureOf(producer().send(record))
      expect(error.message).toBe(`Invalid messages array [null] for topic "${topic}"`)
    })

    test('throws an error for messages with a value of undefined', async () => {
      const topic = uniqueTopic('value')
      const messages = [{ foo: 'bar' }] as unknown as Message[]
      const error = await failureOf(producer().send({ acks: 1, topic, messages }))
      expect(error.message).toBe(`Invalid message without value for topic "${topic}": {"foo":"bar"}`)
      expect(error).toBeInstanceOf(kafkajs.KafkaJSNonRetriableError)
    })

    test('throws an error if the producer is not connected', async () => {
      const error = await failureOf(producer().send({ topic: uniqueTopic('early'), messages: one }))
      expect(error.message).toMatch(/The producer is disconnected/)
    })

    test('throws an error if the producer is disconnecting', async () => {
      const leaving = await connected()
      const left = leaving.disconnect()
      const error = await failureOf(leaving.send({ topic: uniqueTopic('late'), messages: one }))
      expect(error.message).toMatch(/The producer is disconnecting/)
      await left
    })

    test('allows messages with a null value to support tombstones', async () => {
      const topic = uniqueTopic('tombstone')
      const messages = [{ foo: 'bar', value: null } as Message]
      await (await connected()).send({ acks: 1, topic, messages })
      expect(await readLogs(broker.bootstrap, [topic])).toMatchObject([{ value: null }])
    })

    test('reconnects the cluster if disconnected', async () => {
      const tap = new Wiretap()
      const topic = uniqueTopic('reconnects')
      const sender = await connected({}, { kafka: { socketFactory: tap.socketFactory } })
      await sender.send({ acks: 1, topic, messages: [{ key: '1', value: '1' }] })
      expect(tap.openSockets).toBeGreaterThan(0)
      tap.cut()
      await expect.poll(() => tap.openSockets).toBe(0)
      await sender.send({ acks: 1, topic, messages: [{ key: '2', value: '2' }] })
      expect(tap.openSockets).toBeGreaterThan(0)
      const values = (await readLogs(broker.bootstrap, [topic])).map(({ value }) => String(value))
      expect(values).toEqual(['1', '2'])
    })

    test('gives access to its logger', () => {
      const logger = producer().logger()
      const parts = Object.entries(logger).map(([name, part]) => `${name}: ${typeof part}`)
      expect(parts.sort()).toEqual(
        ['debug', 'error', 'info', 'namespace', 'setLogLevel', 'warn'].map(name => `${name}: function`),
      )
    })
  })
})

test('these tests see kafkajs as its users do', () => {
  expect(hasProductionRetries()).toBe(true)
})
