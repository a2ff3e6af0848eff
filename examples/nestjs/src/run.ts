import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { ResilientKafkaOptions } from 'kafkajs-resilient-producer'
import { firstValueFrom } from 'rxjs'
import { type Order, OrdersController } from './orders.js'
import { ResilientClientKafka, ResilientServerKafka } from './resilientTransport.js'

@Module({ controllers: [OrdersController] })
class OrdersModule {}

export interface Outcome {
  readonly total: number
  /** The ids of the orders whose events have arrived. */
  readonly placed: readonly string[]
}

/** Runs the service and a client of it on the same brokers: asks for a price, emits an event, waits for both, and ends. */
export async function run(
  brokers: string[],
  order: Order,
  resilience?: ResilientKafkaOptions,
): Promise<Outcome> {
  const subscribe = { fromBeginning: true }
  const service = await NestFactory.createMicroservice(OrdersModule, {
    strategy: new ResilientServerKafka(
      {
        client: { brokers, clientId: 'orders' },
        consumer: { groupId: 'orders', maxWaitTimeInMs: 500 },
        subscribe,
      },
      resilience,
    ),
    logger: ['warn', 'error'],
  })
  const client = new ResilientClientKafka(
    { client: { brokers, clientId: 'shop' }, consumer: { groupId: 'shop', maxWaitTimeInMs: 500 }, subscribe },
    resilience,
  )
  client.subscribeToResponseOf('orders.price')
  try {
    await service.listen()
    await client.connect()
    const { total } = await firstValueFrom(client.send<{ total: number }>('orders.price', order))
    await firstValueFrom(client.emit('orders.placed', order))
    while (!OrdersController.placed.includes(order.id)) await new Promise(resolve => setTimeout(resolve, 20))
    return { total, placed: OrdersController.placed }
  } finally {
    await client.close()
    await service.close()
  }
}
