import type { ResilientProducerOptions } from 'kafkajs-resilient-producer'
import { Gate } from 'kafkajs-resilient-producer/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { pass, TOPIC, turns, World } from '../../delivery/support/world.js'
import { send, TX } from './support.js'

/* Topics that are not there, or not any more, in transactions and beside them: both wait for them in one place. */

let world: World
afterEach(() => world.end())

const OPTIONS: ResilientProducerOptions = {
  ...TX,
  metadataMaxAgeMs: 600_000,
  metadataRetry: { minTimeoutMs: 10, maxTimeoutMs: 100, retries: 1000, maxRetryTimeMs: 600_000 },
}

/** How it ended, within a tenth of `deliveryTimeoutMs`. */
const soon = async (work: Promise<unknown>): Promise<string> => {
  let how = 'it waits'
  work.then(
    () => {
      how = 'done'
    },
    (error: Error) => {
      how = error.name
    },
  )
  for (let i = 0; i < 24 && how === 'it waits'; i++) await pass(500)
  return how
}

describe('a missing topic', () => {
  const started = async () => {
    const created = new Gate()
    world = await World.withClock({ autoCreate: { createdAfter: created } })
    const producer = await world.connect(OPTIONS)
    return { created, producer, transaction: await producer.transaction() }
  }

  test('is still waited for outside of a transaction when that is aborted', async () => {
    const { created, producer, transaction } = await started()
    const outside = producer.send({ topic: TOPIC, messages: [{ value: 'outside' }] })
    const inside = send(transaction, 'inside')
    await pass(300)
    await transaction.abort()
    await expect(inside).rejects.toMatchObject({ name: 'TransactionAbortedError' })
    created.open()
    expect(await soon(outside)).toBe('done')
    expect(world.stored()).toEqual(['outside'])
  })

  test('is still waited for in a transaction when a send outside of it is aborted', async () => {
    const { created, producer, transaction } = await started()
    const abort = new AbortController()
    const outside = producer.send({ topic: TOPIC, messages: [{ value: 'outside' }], signal: abort.signal })
    outside.catch(() => {})
    const inside = send(transaction, 'inside')
    await pass(300)
    abort.abort()
    await expect(outside).rejects.toMatchObject({ name: 'SendAbortedError' })
    created.open()
    expect(await soon(inside)).toBe('done')
    await transaction.commit()
  })
})

describe('a topic that was deleted since the last transaction', () => {
  const started = async (options: ResilientProducerOptions = {}) => {
    world = await World.withClock({ autoCreate: {} })
    const producer = await world.connect({ ...OPTIONS, ...options })
    world.topic({ partitions: 4 })
    const first = await producer.transaction()
    await send(first, 'first', 3)
    await first.commit()
    return producer.transaction()
  }

  test('is created anew', async () => {
    const transaction = await started()
    world.cluster.deleteTopic(TOPIC)
    expect(await soon(send(transaction, 'a'))).toBe('done')
    await transaction.commit()
    await turns()
    expect(world.stored()).toContain('a')
  })

  test('fails the transaction at once where nothing creates it', async () => {
    const transaction = await started({ topics: { create: 'never' } })
    world.cluster.deleteTopic(TOPIC)
    expect(await soon(send(transaction, 'a'))).toBe('UnknownTopicError')
    await transaction.abort()
  })

  test('and has fewer partitions now fails what is for one of the others', async () => {
    const transaction = await started()
    world.cluster.deleteTopic(TOPIC)
    world.topic({ partitions: 2 })
    expect(await soon(send(transaction, 'a', 3))).toBe('PartitionNotFoundError')
    await transaction.abort()
  })
})
