import { decodeResponse } from '../protocol/api.js'
import { produceApi } from '../protocol/messages/produce.js'

/** A broker's answer for one batch. */
export type PartitionAnswer = ReturnType<
  typeof decodeProduceResponse
>['responses'][number]['partitionResponses'][number]

/** @throws MalformedMessageError */
export const decodeProduceResponse = (version: number, payload: Buffer) =>
  decodeResponse(produceApi, version, payload)
