import 'reflect-metadata'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { EmbeddedKafka } from 'kafkajs-resilient-producer/testing'
import { KafkaService } from './kafka.service.js'

@Module({ providers: [KafkaService] })
class AppModule {}

async function bootstrap() {
  const cluster = await EmbeddedKafka.start()
  process.env.KAFKA_BROKER = cluster.bootstrap[0]
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] })
  const service = app.get(KafkaService)
  await service.place('o-1')
  while (service.received.length === 0) await new Promise(resolve => setTimeout(resolve, 20))
  await app.close()
  await cluster.close()
  console.log(`received ${service.received.join()}`)
}
bootstrap()
