import type { EmbeddedKafka, JournalEntry, RequestOf } from 'kafkajs-resilient-producer/testing'
import { decodeBatch } from '../../../src/protocol/records/decode.js'

export type ProduceRequest = RequestOf<'Produce'>

/** One record batch as a broker read it. */
export interface SentBatch {
  readonly topic: string
  readonly partition: number
  readonly node: number
  readonly connectionId: number
  readonly acks: number
  /** -1 without idempotence. */
  readonly producerId: number
  readonly epoch: number
  readonly sequence: number
  readonly values: readonly string[]
  readonly entry: JournalEntry
}

export interface BatchInRequest {
  readonly topic: string
  readonly partition: number
  readonly records: Buffer
}

export const batchesIn = (body: unknown): BatchInRequest[] =>
  (body as ProduceRequest).topicData.flatMap(({ name, partitionData }) =>
    partitionData.flatMap(({ index, records }) =>
      records === null ? [] : [{ topic: name, partition: index, records }],
    ),
  )

export const valuesOf = (records: Buffer): string[] =>
  decodeBatch(records).records.map(({ value }) => String(value))

/** Every batch that the brokers read, in the order they read them. */
export const sentBatches = (cluster: EmbeddedKafka, topic?: string): SentBatch[] =>
  cluster.journal.of('Produce').flatMap(entry =>
    batchesIn(entry.body)
      .filter(each => topic === undefined || each.topic === topic)
      .map(({ records, ...place }) => {
        const { header, records: decoded } = decodeBatch(records)
        return {
          ...place,
          node: entry.node,
          connectionId: entry.connectionId,
          acks: (entry.body as ProduceRequest).acks,
          producerId: Number(header.producerId),
          epoch: header.producerEpoch,
          sequence: header.baseSequence,
          values: decoded.map(({ value }) => String(value)),
          entry,
        }
      }),
  )
