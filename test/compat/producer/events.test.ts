import '../support/production.js'
import type { RequestQueueSizeEvent } from 'kafkajs'
import { describe, expect, test, vi } from 'vitest'
import { forEachBroker, uniqueTopic } from '../../kafka/suite.js'
import { clientsOf } from '../support/clients.js'
import { Wiretap } from '../support/wiretap.js'

const number = expect.any(Number)
const text = expect.any(String)

/** An event as kafkajs's emitter gives it. */
const event = (type: string, payload: object) => ({ id: number, timestamp: number, type, payload })

forEachBroker('src/producer/index.spec.js', { real: 'shared' }, broker => {
  const { producer, connected } = clientsOf(broker)

  describe('Producer', () => {
    test('on throws an error when provided with an invalid event name', () => {
      const listen = () => producer().on('NON_EXISTENT_EVENT' as never, () => {})
      expect(listen).toThrow(/Event name should be one of producer.events./)
    })

    test('emits connection events', async () => {
      const made = producer()
      const onConnect = vi.fn()
      const onDisconnect = vi.fn()
      made.on(made.events.CONNECT, onConnect)
      made.on(made.events.DISCONNECT, onDisconnect)
      await made.connect()
      expect(onConnect).toHaveBeenCalledTimes(1)
      expect(onDisconnect).not.toHaveBeenCalled()
      await made.disconnect()
      expect(onDisconnect).toHaveBeenCalledTimes(1)
    })

    test('emits the request event', async () => {
      const made = producer()
      const listener = vi.fn()
      made.on(made.events.REQUEST, listener)
      await made.connect()
      expect(listener).toHaveBeenCalledWith(
        event('producer.network.request', {
          apiKey: number,
          apiName: 'ApiVersions',
          apiVersion: number,
          broker: text,
          clientId: text,
          correlationId: number,
          createdAt: number,
          duration: number,
          pendingDuration: number,
          sentAt: number,
          size: number,
        }),
      )
    })

    test('emits the request timeout event', async () => {
      const tap = new Wiretap()
      const kafka = { requestTimeout: 1100, enforceRequestTimeout: true, socketFactory: tap.socketFactory }
      const sender = await connected({}, { kafka })
      const listener = vi.fn()
      sender.on(sender.events.REQUEST_TIMEOUT, listener)
      tap.next('Produce', 'silence')
      await sender.send({ acks: -1, topic: uniqueTopic('slow'), messages: [{ key: 'k', value: 'v' }] })
      expect(listener).toHaveBeenCalledWith(
        event('producer.network.request_timeout', {
          apiKey: number,
          apiName: text,
          apiVersion: number,
          broker: text,
          clientId: text,
          correlationId: number,
          createdAt: number,
          pendingDuration: number,
          sentAt: number,
        }),
      )
      expect(tap.pending).toBe(0)
    })

    // Sends are not requests here, so there is no queue of them: only what a broker asks to hold back is queued.
    test('emits the request queue size event', async () => {
      const tap = new Wiretap()
      const kafka = { clientId: 'queueing', socketFactory: tap.socketFactory }
      const sender = await connected({ maxInFlightRequests: 1 }, { kafka })
      const sizes: number[] = []
      const listener = vi.fn(
        ({ payload: { queueSize } }: RequestQueueSizeEvent) => void sizes.push(queueSize),
      )
      sender.on(sender.events.REQUEST_QUEUE_SIZE, listener)
      // While one connection is held back, metadata is asked for on another: both are.
      for (let i = 0; i < 2; i++)
        tap.next('Metadata', { changed: response => ({ ...response, throttleTimeMs: 1_000 }) })
      const send = (topic: string) =>
        sender.send({ acks: -1, topic, messages: [0, 1, 2].map(each => ({ value: `value-${each}` })) })
      const sends: Promise<unknown>[] = []
      for (const left of [1, 0, 0]) {
        sends.push(send(uniqueTopic('queue')))
        await expect.poll(() => tap.pending).toBe(left)
      }
      await Promise.all(sends)
      expect(listener).toHaveBeenCalledWith(
        event('producer.network.request_queue_size', {
          broker: text,
          clientId: 'queueing',
          queueSize: number,
        }),
      )
      expect(Math.max(...sizes)).toBeGreaterThan(0)
      expect(sizes.at(-1)).toBe(0)
    })
  })
})
