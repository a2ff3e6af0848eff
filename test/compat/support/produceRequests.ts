import {
  type DecodedRecord,
  decodeBatch,
  isTransactional,
  splitBatches,
} from '../../../src/protocol/records/decode.js'
import type { WireRequest } from './wire.js'

interface ProduceBody {
  readonly transactionalId: string | null
  readonly acks: number
  /** By name or, in the newest versions, by topic id. */
  readonly topicData: readonly {
    readonly partitionData: readonly { readonly index: number; readonly records: Buffer | null }[]
  }[]
}

const bodyOf = (request: WireRequest): ProduceBody => request.body as ProduceBody

/** A batch of a produce request as it left the client. */
export interface SentBatch {
  readonly partition: number
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
  readonly isTransactional: boolean
  readonly transactionalId: string | null
  readonly records: readonly DecodedRecord[]
}

export const batchesOf = (request: WireRequest): SentBatch[] =>
  bodyOf(request).topicData.flatMap(({ partitionData }) =>
    partitionData.flatMap(({ index, records }) =>
      splitBatches(records ?? Buffer.alloc(0)).map(bytes => {
        const { header, records: decoded } = decodeBatch(bytes)
        return {
          partition: index,
          producerId: header.producerId,
          producerEpoch: header.producerEpoch,
          baseSequence: header.baseSequence,
          recordCount: header.recordCount,
          isTransactional: isTransactional(header),
          transactionalId: bodyOf(request).transactionalId,
          records: decoded,
        }
      }),
    ),
  )

/** The answer that gives each partition of the produce request this error. */
export const refusal =
  (errorCode: number) =>
  (request: WireRequest): object => ({
    responses: bodyOf(request).topicData.map(topic => ({
      ...topic,
      partitionResponses: topic.partitionData.map(({ index }) => ({
        index,
        errorCode,
        baseOffset: -1n,
        logAppendTimeMs: -1n,
        logStartOffset: -1n,
      })),
    })),
    throttleTimeMs: 0,
  })

/** Whether the produce request has records of the partition. */
export const carries =
  (partition: number) =>
  (request: WireRequest): boolean =>
    batchesOf(request).some(batch => batch.partition === partition)
