import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common'
import type { Consumer, Producer } from 'kafkajs'
// The one line that differs from a service on kafkajs.
import { ResilientKafka as Kafka } from 'kafkajs-resilient-producer'

@Injectable()
export class KafkaService implements OnModuleInit, OnModuleDestroy {
  private readonly kafka = new Kafka({
    clientId: 'shop',
    brokers: [process.env.KAFKA_BROKER as string],
    logLevel: 0,
  })
  private readonly producer: Producer = this.kafka.producer()
  private readonly consumer: Consumer = this.kafka.consumer({ groupId: 'billing' })
  readonly received: string[] = []

  async onModuleInit() {
    await this.producer.connect()
    await this.consumer.connect()
    await this.consumer.subscribe({ topic: 'orders', fromBeginning: true })
    await this.consumer.run({
      eachMessage: async ({ message }) => {
        this.received.push(String(message.value))
      },
    })
  }

  async place(order: string) {
    await this.producer.send({ topic: 'orders', messages: [{ value: order }] })
  }

  async onModuleDestroy() {
    await this.consumer.disconnect()
    await this.producer.disconnect()
  }
}
