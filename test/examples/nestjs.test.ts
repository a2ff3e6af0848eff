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
})
