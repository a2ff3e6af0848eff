import type { Fault, RequestOf, ResponseOf } from 'kafkajs-resilient-producer/testing'

export type ProduceFault = Fault<RequestOf<'Produce'>, ResponseOf<'Produce'>>
type PartitionAnswer = ResponseOf<'Produce'>['responses'][number]['partitionResponses'][number]

export interface PartitionVerdict extends Partial<PartitionAnswer> {
  readonly errorCode: number
}

/**
 * Answers for one partition with an error; the request's other partitions are served.
 *
 * @param applied whether the batch is written all the same
 */
export const verdict =
  (
    partition: number,
    answer: PartitionVerdict,
    applied: 'applied' | 'not applied' = 'not applied',
  ): ProduceFault =>
  async (request, next) => {
    const { topicData } = request.body
    const holder = topicData.find(({ partitionData }) =>
      partitionData.some(({ index }) => index === partition),
    )
    const response = await next({
      ...request.body,
      topicData:
        applied === 'applied'
          ? topicData
          : topicData.map(each => ({
              ...each,
              partitionData: each.partitionData.filter(({ index }) => index !== partition),
            })),
    })
    if (response === null || holder === undefined)
      throw new Error(`nothing to refuse for partition ${partition}`)
    const refused = { index: partition, baseOffset: -1n, logAppendTimeMs: -1n, ...answer }
    return {
      ...response,
      responses: response.responses.map(each =>
        each.name === holder.name
          ? {
              ...each,
              partitionResponses: [
                ...each.partitionResponses.filter(({ index }) => index !== partition),
                refused,
              ],
            }
          : each,
      ),
    }
  }
