import { Kafka, type KafkaConfig } from 'kafkajs'
import { rememberConfig } from '../../transport/kafkajs/index.js'
import { creationOfEnvironment } from './environment.js'
import { giveSources } from './sources.js'

/** Whether this is a KafkaConfig, and no Kafka: kafkajs's, a subclass, a Proxy around one, or one of a fork. */
export const isPlainConfig = (value: Kafka | KafkaConfig): value is KafkaConfig =>
  typeof value === 'object' && value !== null && 'brokers' in value && !('producer' in value)

/** A Kafka by which a producer is made from a configuration alone. */
export const kafkaOf = (config: KafkaConfig): Kafka => {
  const kafka = new Kafka(config)
  rememberConfig(kafka, config)
  giveSources(kafka, {
    retry: config.retry,
    requestTimeout: config.enforceRequestTimeout === false ? undefined : config.requestTimeout,
    create: creationOfEnvironment,
  })
  return kafka
}
