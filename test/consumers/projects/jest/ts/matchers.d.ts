import type { KafkaMatchers } from 'kafkajs-resilient-producer/testing'

declare global {
  namespace jest {
    interface Matchers<R> extends KafkaMatchers {}
  }
}
