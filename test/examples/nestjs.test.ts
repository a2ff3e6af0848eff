import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { describe, expect, it } from 'vitest'
import { howToInstall, isInstalled, pathOf } from './installed.js'

interface Example {
  run(
    brokers: readonly string[],
    order: object,
    resilience?: object,
  ): Promise<{ total: number; placed: string[] }>
}

const installed = isInstalled('nestjs', '@nestjs/microservices', '@nestjs/core', 'rxjs', 'reflect-metadata')
const title = `NestJS's Kafka transport on ResilientKafka ${installed ? '' : howToInstall('nestjs')}`
const TOPICS = ['orders.price', 'orders.price.reply', 'orders.placed']

describe.skipIf(!installed)(title, () => {
  it.each([['broker'], ['admin']])('asks and emits on topics that the policy %s makes', async create => {
    const { run } = (await import(/* @vite-ignore */ pathOf('nestjs/src/run.ts'))) as Example
    const cluster = await EmbeddedKafka.start()
    const id = `o-${create}`
    const items = [
      { price: 4, count: 3 },
      { price: 0.5, count: 2 },
    ]
    const outcome = await run(cluster.bootstrap, { id, items }, { topics: { create } })
    expect(outcome).toMatchObject({ total: 13, placed: expect.arrayContaining([id]) })
    expect(TOPICS.map(topic => cluster.records(topic).length)).toEqual([1, 1, 1])
    const producing = cluster.journal.of('Produce').map(each => each.clientId)
    expect(new Set(producing)).toEqual(new Set(['shop-client', 'orders-server']))
    expect(cluster.journal.of('Produce').every(each => each.version > 7)).toBe(true)
    await cluster.close({ clients: 'may-stay' })
  })

  /** Of rxjs. */
  interface Emitted {
    subscribe(observer: { next(value: unknown): void; error(error: unknown): void }): void
  }
  interface Client {
    connect(): Promise<unknown>
    close(): Promise<void>
    emit(topic: string, data: object): Emitted
  }
  const transport = async () =>
    (await import(/* @vite-ignore */ pathOf('nestjs/src/resilientTransport.ts'))) as {
      ResilientClientKafka: new (options: object, resilience?: object) => Client
    }

  it.each([true, false])(
    'connects with the next call where the first attempt failed (producer only: %s)',
    async producerOnlyMode => {
      const { ResilientClientKafka } = await transport()
      const cluster = await EmbeddedKafka.start()
      await cluster.stopBroker(0)
      const client = new ResilientClientKafka(
        {
          client: { brokers: cluster.bootstrap, clientId: 'shop', logLevel: 0, retry: { retries: 0 } },
          consumer: { groupId: 'shop' },
          producerOnlyMode,
        },
        { metadataRetry: { retries: 1, minTimeoutMs: 1 } },
      )
      const emit = (id: string) =>
        new Promise<unknown>((next, error) => client.emit('orders.placed', { id }).subscribe({ next, error }))
      // Together, and one after the other: none of them spoils the others.
      const early = await Promise.allSettled([emit('a'), emit('b'), client.connect()])
      expect(early.map(each => each.status)).toEqual(['rejected', 'rejected', 'rejected'])
      await expect(emit('c')).rejects.toThrow()
      await cluster.startBroker(0)
      // Closing breaks off an attempt, and leaves a client that connects again.
      const brokenOff = Promise.allSettled([client.connect()])
      await client.close()
      await brokenOff
      await Promise.all([emit('d'), emit('e')])
      expect(
        cluster
          .records('orders.placed')
          .map(each => JSON.parse(String(each.value)).id)
          .sort(),
      ).toEqual(['d', 'e'])
      await client.close()
      await cluster.close()
    },
  )
})
