import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { howToInstall, isInstalled, pathOf } from './installed.js'

const textOf = (file: string) => readFileSync(pathOf(`fastify/${file}`), 'utf8')

describe('the move of a Fastify service', () => {
  it('is one import line', () => {
    const before = textOf('before.js').split('\n')
    const after = textOf('after.js').split('\n')
    const changed = before.flatMap((line, index) => (line === after[index] ? [] : [[line, after[index]]]))
    expect(after).toHaveLength(before.length)
    expect(changed).toEqual([
      [
        "import { Kafka } from 'kafkajs'",
        "import { ResilientKafka as Kafka } from 'kafkajs-resilient-producer'",
      ],
    ])
    const [[removed, added]] = changed as [[string, string]]
    const told = textOf('move.diff').split('\n').slice(2)
    expect(told.filter(line => /^[-+]/.test(line))).toEqual([`-${removed}`, `+${added}`])
  })
})

interface Service {
  ready(): Promise<void>
  inject(request: object): Promise<{ statusCode: number; json(): unknown }>
  close(): Promise<void>
}

const installed = isInstalled('fastify', 'fastify')
const title = `the services before and after ${installed ? '' : howToInstall('fastify')}`

describe.skipIf(!installed)(title, () => {
  let cluster: EmbeddedKafka
  beforeEach(async () => {
    cluster = await EmbeddedKafka.start()
    cluster.createTopic('payments')
  })
  afterEach(() => cluster.close({ clients: 'may-stay' }))

  const start = async (file: string): Promise<Service> => {
    const { createService } = (await import(/* @vite-ignore */ pathOf(`fastify/${file}`))) as {
      createService(options: object): Promise<Service>
    }
    const service = await createService({ brokers: cluster.bootstrap })
    await service.ready()
    return service
  }
  const order = (shop: string, id: string) => ({
    method: 'POST',
    url: `/shops/${shop}/orders`,
    payload: { id, total: 12 },
  })
  const pay = async (id: string) => {
    const producer = new Kafka({ brokers: cluster.bootstrap, logLevel: logLevel.NOTHING }).producer()
    await producer.connect()
    await producer.send({ topic: 'payments', messages: [{ key: id, value: 'paid' }] })
    await producer.disconnect()
  }

  it.each(['before.js', 'after.js'])(
    '%s takes orders for topics that are there, and sees payments',
    async file => {
      cluster.createTopic('orders.berlin')
      const service = await start(file)
      const first = await service.inject(order('berlin', 'o-1'))
      expect([first.statusCode, first.json()]).toEqual([202, { partition: 0, offset: '0' }])
      expect((await service.inject({ ...order('berlin', 'o-2'), payload: { id: 7 } })).statusCode).toBe(400)
      const [record] = cluster.records('orders.berlin')
      expect([String(record?.key), String(record?.value)]).toEqual(['o-1', '{"id":"o-1","total":12}'])
      await pay('o-1')
      const isPaid = async () => (await service.inject({ method: 'GET', url: '/orders/o-1' })).json()
      await expect.poll(isPaid).toEqual({ id: 'o-1', paid: true })
      await service.close()
    },
  )

  it('after.js takes orders of fifty shops at once whose topics do not exist', async () => {
    const service = await start('after.js')
    const shops = Array.from({ length: 50 }, (_, i) => `shop-${i}`)
    const answers = await Promise.all(shops.map(shop => service.inject(order(shop, `${shop}-1`))))
    expect(answers.map(each => each.statusCode)).toEqual(shops.map(() => 202))
    for (const shop of shops) expect(cluster.records(`orders.${shop}`)).toHaveLength(1)
    await service.close()
  })
})
