import { EmbeddedKafka, errorCode, hang, hold } from 'kafkajs-resilient-producer/testing'
import { describe, expect, test } from 'vitest'
import { produceApi } from '../../src/protocol/messages/produce.js'
import { batch } from './support/batches.js'
import { RawClient } from './support/rawClient.js'

const request = () => ({
  transactionalId: null,
  acks: -1,
  timeoutMs: 100,
  topicData: [{ name: 't', partitionData: [{ index: 0, records: batch() }] }],
})

describe('close()', () => {
  test('fails on faults that met fewer requests than they were to', async () => {
    const own = await EmbeddedKafka.start()
    own.on('Produce', errorCode(6), { times: 2, topic: 'x' })
    own.on('Metadata', hang, { times: Infinity })
    own.on('Fetch', hang)()
    await expect(own.close()).rejects.toThrow(/^.*a fault on Produce for topic x has 2 of 2 times left$/)
  })

  test('fails on a client that is still connected, and cuts it', async () => {
    const own = await EmbeddedKafka.start()
    const left = await RawClient.connect(own.bootstrap[0]!)
    await expect(own.close()).rejects.toThrow('1 connections of clients still open')
    await left.ended()
  })

  test('fails on a rejection that nobody handled since the start, and does not watch any more after it', async () => {
    // Those of the test runner would fail the run.
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    try {
      const own = await EmbeddedKafka.start()
      void Promise.reject(new Error('of the service under test'))
      void Promise.reject('no error at all')
      await expect(own.close()).rejects.toMatchObject({
        message: expect.stringContaining('of the service under test; no error at all'),
        errors: [{ message: 'of the service under test' }, { message: 'no error at all' }],
      })
      expect(process.listeners('unhandledRejection')).toEqual([])
    } finally {
      for (const each of others) process.on('unhandledRejection', each)
    }
  })

  test('says at once that a rejection was not handled, where nobody else would: once, however many clusters run', async () => {
    const others = process.listeners('unhandledRejection')
    process.removeAllListeners('unhandledRejection')
    const warnings: Error[] = []
    const note = (warning: Error) => void warnings.push(warning)
    process.on('warning', note)
    const settled = async () => {
      for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve))
    }
    try {
      const clusters = [await EmbeddedKafka.start(), await EmbeddedKafka.start()]
      void Promise.reject(new Error('of the host'))
      await settled()
      expect(warnings.map(each => [each.name, each.message])).toEqual([
        ['UnhandledRejectionWarning', expect.stringMatching(/its close\(\) reports it too: of the host$/)],
      ])
      expect(warnings[0]!.stack).toContain('close.test.ts')
      const heard = () => {}
      process.on('unhandledRejection', heard)
      void Promise.reject(new Error('heard by the host'))
      await settled()
      process.off('unhandledRejection', heard)
      expect(warnings).toHaveLength(1)
      for (const each of clusters)
        await expect(each.close()).rejects.toThrow('of the host; heard by the host')
    } finally {
      process.off('warning', note)
      for (const each of others) process.on('unhandledRejection', each)
    }
  })

  test('fails on a fault function that throws, and cuts the connection it served', async () => {
    const own = await EmbeddedKafka.start()
    own.on('Produce', () => {
      throw new Error('a slip in the test')
    })
    const left = await RawClient.connect(own.bootstrap[0]!)
    left.request(produceApi, 9, request())
    await left.ended()
    await expect(own.close()).rejects.toThrow('a slip in the test')
  })

  test('comes to the same when it is called again', async () => {
    const own = await EmbeddedKafka.start()
    own.on('Produce', hang)
    const first = own.close()
    expect(own.close()).toBe(first)
    await expect(first).rejects.toThrow('1 of 1 times left')
  })

  test('lets clients stay when told so', async () => {
    const own = await EmbeddedKafka.start()
    const left = await RawClient.connect(own.bootstrap[0]!)
    await own.close({ clients: 'may-stay' })
    await left.ended()
  })

  test('releases what waits at gates, applying nothing', async () => {
    const own = await EmbeddedKafka.start()
    own.createTopic('t')
    const gate = own.gate()
    own.on('Produce', hold(gate))
    const left = await RawClient.connect(own.bootstrap[0]!)
    left.request(produceApi, 9, request())
    await gate.arrived
    await own.close({ clients: 'may-stay' })
    await left.ended()
    gate.open()
    expect(own.records('t')).toEqual([])
  })
})
