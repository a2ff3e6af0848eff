import {
  type Admin,
  type AdminConfig,
  type Consumer,
  type ConsumerConfig,
  Kafka,
  type KafkaConfig,
  type Producer,
  type ProducerConfig,
} from 'kafkajs'
import {
  createResilientProducer,
  type ResilientConsumer,
  ResilientKafka,
  type ResilientKafkaOptions,
  type ResilientProducer,
  type ResilientProducerOptions,
} from 'kafkajs-resilient-producer'
import { expectTypeOf, test } from 'vitest'

/*
 * Types are checked by `npm run check:types`, in strict mode with exactOptionalPropertyTypes; here they only run.
 */

test('a ResilientKafka stands where a Kafka does: a field, an argument, the class itself', () => {
  expectTypeOf<ResilientKafka>().toExtend<Kafka>()
  expectTypeOf<typeof ResilientKafka>().toExtend<typeof Kafka>()
  expectTypeOf<(kafka: Kafka) => void>().toExtend<(kafka: ResilientKafka) => void>()
  expectTypeOf(createResilientProducer).toBeCallableWith({} as ResilientKafka)
  class Module {
    kafka: Kafka
    constructor(Client: typeof Kafka, config: KafkaConfig) {
      this.kafka = new Client(config)
    }
  }
  expectTypeOf(Module).toBeConstructibleWith(ResilientKafka, { brokers: [] })
  expectTypeOf(Module).toBeConstructibleWith(Kafka, { brokers: [] })
})

test('its clients are kafkajs’s, made from kafkajs’s configurations', () => {
  expectTypeOf<ResilientKafka['producer']>().toExtend<Kafka['producer']>()
  expectTypeOf<ResilientKafka['producer']>().parameters.toEqualTypeOf<
    [config?: ProducerConfig | undefined, options?: ResilientProducerOptions | undefined]
  >()
  expectTypeOf<ResilientKafka['producer']>().returns.toEqualTypeOf<ResilientProducer>()
  expectTypeOf<ResilientKafka['producer']>().returns.toExtend<Producer>()
  expectTypeOf<ResilientKafka['consumer']>().toEqualTypeOf<(config: ConsumerConfig) => ResilientConsumer>()
  expectTypeOf<ResilientConsumer>().toExtend<Consumer>()
  expectTypeOf<ResilientKafka['admin']>().toEqualTypeOf<(config?: AdminConfig) => Admin>()
  expectTypeOf<ResilientKafka['logger']>().toEqualTypeOf<Kafka['logger']>()
})

test('its options are a producer’s', () => {
  expectTypeOf<ResilientProducerOptions>().toExtend<ResilientKafkaOptions>()
  expectTypeOf(ResilientKafka).toBeConstructibleWith(
    { brokers: () => ['a:1'] },
    { topics: { create: 'never' } },
  )
  // @ts-expect-error misspelt
  expectTypeOf(ResilientKafka).toBeConstructibleWith({ brokers: [] }, { topic: { create: 'never' } })
  // @ts-expect-error an option of ours where kafkajs's configuration stands
  expectTypeOf<Parameters<ResilientKafka['producer']>[0]>({ lingerMs: 5 })
})
