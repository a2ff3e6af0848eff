import type {
  ConnectEvent,
  DisconnectEvent,
  Kafka,
  KafkaConfig,
  Message,
  Producer,
  ProducerBatch,
  ProducerRecord,
  RecordMetadata,
  RemoveInstrumentationEventListener,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
  Transaction,
} from 'kafkajs'
import kafkajs from 'kafkajs'
import {
  type BrokersUnreachableError,
  createResilientProducer,
  type DeliveryTimeoutError,
  type FailedRecords,
  type ResilientProducer,
  type ResilientProducerOptions,
  type ResilientTransaction,
  type SendError,
  type TopicAuthorizationError,
  type TransactionOffsets,
} from 'kafkajs-resilient-producer'
import { Registry, register } from 'prom-client'
import { describe, expectTypeOf, test } from 'vitest'

/*
 * Types are checked by `npm run check:types`, in strict mode with exactOptionalPropertyTypes; here they only run.
 */

describe('the producer’s type', () => {
  test('is kafkajs’s Producer, and its calls are kafkajs’s calls', () => {
    expectTypeOf<ResilientProducer>().toExtend<Producer>()
    expectTypeOf(createResilientProducer).returns.toExtend<Producer>()
    expectTypeOf(createResilientProducer).parameter(0).toEqualTypeOf<Kafka | KafkaConfig>()
    expectTypeOf<ResilientProducer['send']>().toExtend<Producer['send']>()
    expectTypeOf<ProducerRecord>().toExtend<Parameters<ResilientProducer['send']>[0]>()
    expectTypeOf<ProducerBatch>().toExtend<Parameters<ResilientProducer['sendBatch']>[0]>()
    expectTypeOf<ResilientProducer['send']>().returns.resolves.toEqualTypeOf<RecordMetadata[]>()
    expectTypeOf<ResilientProducer['sendBatch']>().returns.resolves.toEqualTypeOf<RecordMetadata[]>()
    expectTypeOf<ResilientProducer['transaction']>().toExtend<Producer['transaction']>()
    expectTypeOf<ResilientTransaction>().toExtend<Transaction>()
    expectTypeOf<Parameters<Transaction['sendOffsets']>[0]>().toExtend<TransactionOffsets>()
    expectTypeOf<ResilientProducer['events']>().toEqualTypeOf<Producer['events']>()
    expectTypeOf<ResilientProducer['logger']>().toEqualTypeOf<Producer['logger']>()
    expectTypeOf<ResilientProducer['on']>().toEqualTypeOf<Producer['on']>()
  })

  test('may stand where kafkajs’s does: a field, an argument, a list, a wrapper', () => {
    class Service {
      producer: Producer
      constructor(producer: Producer) {
        this.producer = producer
      }
    }
    expectTypeOf(Service).toBeConstructibleWith({} as ResilientProducer)
    expectTypeOf<ResilientProducer[]>().toExtend<readonly Producer[]>()
    expectTypeOf<(producer: Producer) => void>().toExtend<(producer: ResilientProducer) => void>()
    // As an instrumentation replaces it.
    const patch = (producer: ResilientProducer): void => {
      const { send } = producer
      producer.send = record => send(record)
    }
    expectTypeOf(patch).toBeFunction()
  })

  test('gives each event its own payload', () => {
    const listen = ({ on, events }: ResilientProducer): void => {
      const remover = on(events.CONNECT, event => expectTypeOf(event).toEqualTypeOf<ConnectEvent>())
      expectTypeOf(remover).toExtend<RemoveInstrumentationEventListener<'producer.connect'>>()
      on(events.DISCONNECT, event => expectTypeOf(event).toEqualTypeOf<DisconnectEvent>())
      on(events.REQUEST, event => expectTypeOf(event).toEqualTypeOf<RequestEvent>())
      on(events.REQUEST_TIMEOUT, event => expectTypeOf(event).toEqualTypeOf<RequestTimeoutEvent>())
      on(events.REQUEST_QUEUE_SIZE, event => expectTypeOf(event).toEqualTypeOf<RequestQueueSizeEvent>())
      // @ts-expect-error no event of a producer
      on('consumer.connect', () => {})
    }
    expectTypeOf(listen).toBeFunction()
  })

  test('takes what is more than kafkajs, and undefined for what is left out', () => {
    const call = async (producer: ResilientProducer, message: Message, signal: AbortSignal | undefined) => {
      await producer.connect({ timeoutMs: undefined, signal })
      await producer.send({ topic: 't', messages: [message], signal })
      await producer.sendBatch({ topicMessages: [{ topic: 't', messages: [message] }], signal })
      await producer.flush({ timeoutMs: 5, signal })
      await producer.disconnect({ timeoutMs: undefined })
      expectTypeOf(producer.enqueue('t', message)).toEqualTypeOf<boolean>()
      producer.enqueue('t', message, (error, { topic, partition, offset }) => {
        expectTypeOf(error).toEqualTypeOf<Error | null>()
        expectTypeOf({ topic, partition }).toEqualTypeOf<{ topic: string; partition: number }>()
        expectTypeOf(offset).toExtend<string | undefined>()
      })
      producer.writable({ onError: (_, record) => expectTypeOf(record.topic).toEqualTypeOf<string>() })
      // @ts-expect-error a record of a stream has a topic
      producer.writable({ onError: (_, record) => record.subject })
    }
    expectTypeOf(call).toBeFunction()
  })
})

describe('the options’ type', () => {
  test('takes undefined for every one of them, at every level', () => {
    type Given = Required<ResilientProducerOptions>
    expectTypeOf<{ [K in keyof Given]: undefined }>().toExtend<ResilientProducerOptions>()
    expectTypeOf<{ retry: { retries: undefined } }>().toExtend<ResilientProducerOptions>()
    expectTypeOf<{ metadataRetry: { onRetry: undefined } }>().toExtend<ResilientProducerOptions>()
    expectTypeOf<{ topics: { create: undefined; rules: undefined } }>().toExtend<ResilientProducerOptions>()
    expectTypeOf<{
      topics: { rules: { match: string; partitions: number | undefined }[] }
    }>().toExtend<ResilientProducerOptions>()
    expectTypeOf<{ metrics: { registry: undefined } }>().toExtend<ResilientProducerOptions>()
  })

  test('takes kafkajs’s enumerations, partitioners and prom-client’s registries', () => {
    const options: ResilientProducerOptions[] = [
      { compression: kafkajs.CompressionTypes.GZIP },
      { createPartitioner: kafkajs.Partitioners.DefaultPartitioner },
      { createPartitioner: kafkajs.Partitioners.LegacyPartitioner },
      {
        createPartitioner:
          () =>
          ({ topic, partitionMetadata }) =>
            topic.length % partitionMetadata.length,
      },
      { metrics: { registry: new Registry(), topicLabel: ['a'] } },
      { metrics: { registry: register, topicLabel: 'all' } },
      {
        metadataRetry: {
          onRetry: ({ topic, attempt, delayMs, error }) => void [topic, attempt, delayMs, error],
        },
      },
      { onDeliveryError: (error, { topic, partition }) => void [error.message, topic, partition] },
      { topics: { create: 'admin', configEntries: [{ name: 'cleanup.policy', value: 'compact' }] } },
    ]
    expectTypeOf(options).toEqualTypeOf<ResilientProducerOptions[]>()
  })

  test('refuses what cannot be', () => {
    // @ts-expect-error misspelt
    expectTypeOf<ResilientProducerOptions>({ lingerMS: 5 })
    // @ts-expect-error acks is -1, 0 or 1
    expectTypeOf<ResilientProducerOptions>({ acks: 2 })
    // @ts-expect-error not a duration
    expectTypeOf<ResilientProducerOptions>({ lingerMs: '5' })
    // @ts-expect-error nobody of that name creates topics
    expectTypeOf<ResilientProducerOptions>({ topics: { create: 'somebody' } })
  })
})

test('the errors’ types are kafkajs’s, and tell what they carry', () => {
  expectTypeOf<BrokersUnreachableError>().toExtend<kafkajs.KafkaJSNumberOfRetriesExceeded>()
  expectTypeOf<TopicAuthorizationError>().toExtend<kafkajs.KafkaJSProtocolError>()
  expectTypeOf<SendError>().toExtend<kafkajs.KafkaJSNonRetriableError>()
  expectTypeOf<SendError['acknowledged']>().toEqualTypeOf<readonly RecordMetadata[]>()
  expectTypeOf<SendError['failed'][number]>().toEqualTypeOf<FailedRecords>()
  expectTypeOf<DeliveryTimeoutError['outcome']>().toEqualTypeOf<'not-written' | 'unknown' | undefined>()
  expectTypeOf<DeliveryTimeoutError['topic']>().toEqualTypeOf<string | undefined>()
  expectTypeOf<DeliveryTimeoutError['attempts']>().toEqualTypeOf<number | undefined>()
})
