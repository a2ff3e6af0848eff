import { produceApi } from '../../../src/protocol/messages/produce.js'
import type { Decoded } from '../../../src/protocol/wire/codec.js'
import type { RawClient } from './rawClient.js'

export type PartitionResponse = Decoded<
  typeof produceApi.response
>['responses'][number]['partitionResponses'][number]

export interface ProduceOptions {
  readonly topic?: string
  /** For versions that go by ids. */
  readonly topicId?: string
  readonly partition?: number
  readonly acks?: number
  readonly version?: number
  readonly transactionalId?: string
}

/** Produces one field of records and returns the answer for its partition. */
export const produce = async (
  client: RawClient,
  records: Buffer | null,
  { topic = 't', topicId, partition = 0, acks = -1, version = 9, transactionalId }: ProduceOptions = {},
): Promise<PartitionResponse> => {
  const response = await client.call(produceApi, version, {
    transactionalId: transactionalId ?? null,
    acks,
    timeoutMs: 1000,
    topicData: [{ name: topic, topicId, partitionData: [{ index: partition, records }] }],
  })
  if (!response) throw new Error('the connection ended')
  return response.responses[0]!.partitionResponses[0]!
}
