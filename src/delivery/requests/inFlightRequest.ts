import { MalformedMessageError } from '../../protocol/wire/malformed.js'
import type { BrokerAddress } from '../../transport/port.js'
import type { PartitionQueue } from '../partitions/partitionQueue.js'
import {
  layOutProduceRequest,
  type RoutedBatch,
  requestVersion,
  TOPIC_ID_BYTES,
} from '../wire/produceRequest.js'
import { type AnswerReceiver, type PartitionAnswer, readProduceResponse } from '../wire/produceResponse.js'

/** One batch in a request, until it is answered. */
export interface InFlightBatch extends RoutedBatch {
  readonly queue: PartitionQueue
  answer: PartitionAnswer | undefined
}

/** Those of one topic, in the order of their partitions. */
type Group = readonly InFlightBatch[]

/** One produce request, from its layout to the matching of its answer. */
export class InFlightRequest {
  readonly inFlightBatches: readonly InFlightBatch[]
  readonly version: number
  readonly sentAt: number
  /** How long the broker may take for it. ms */
  readonly timeoutMs: number
  /** Of its body. */
  bytes = 0
  private readonly byTopic = new Map<string, InFlightBatch[]>()

  /** @param spoken the highest version that the broker speaks */
  constructor(inFlightBatches: readonly InFlightBatch[], spoken: number, sentAt: number, timeoutMs: number) {
    this.inFlightBatches = inFlightBatches
    this.version = requestVersion(spoken, inFlightBatches)
    this.sentAt = sentAt
    this.timeoutMs = timeoutMs
    for (const inFlightBatch of inFlightBatches) {
      const same = this.byTopic.get(inFlightBatch.topic)
      if (same === undefined) this.byTopic.set(inFlightBatch.topic, [inFlightBatch])
      else same.push(inFlightBatch)
    }
    for (const same of this.byTopic.values())
      if (same.length > 1) same.sort((a, b) => a.partition - b.partition)
  }

  /**
   * All its batches share acks and the broker's wait.
   *
   * @param frame gives a buffer of at least that many bytes
   */
  layOut(frame: (bytes: number) => Buffer, transactionalId: string | undefined): Buffer[] {
    const { acks, ackTimeoutMs } = this.inFlightBatches[0]!.batch.deliveryClass
    const groups = [...this.byTopic.values()]
    const chunks = layOutProduceRequest(
      this.version,
      acks,
      ackTimeoutMs,
      groups,
      frame,
      transactionalId ?? null,
    )
    for (const chunk of chunks) this.bytes += chunk.length
    return chunks
  }

  /**
   * Gives each batch in flight its answer.
   *
   * @returns how long the broker asks to be left alone (ms), and where the leaders it hints at can be found
   * @throws {MalformedMessageError} when it cannot be read, or does not answer for every batch
   */
  match(payload: Buffer): {
    throttleTimeMs: number
    endpointOf: (nodeId: number) => BrokerAddress | undefined
  } {
    const { throttleTimeMs, nodeEndpoints } = readProduceResponse(
      this.version,
      payload,
      new Matching(this.byTopic),
    )
    for (const { topic, partition, answer } of this.inFlightBatches) {
      if (answer === undefined) {
        throw new MalformedMessageError(
          `the Produce response lacks topic ${JSON.stringify(topic)}, partition ${partition}`,
        )
      }
    }
    return { throttleTimeMs, endpointOf: nodeId => nodeEndpoints.find(each => each.nodeId === nodeId) }
  }
}

/** Finds the topics of a request in its answer. */
class Matching implements AnswerReceiver<Group | undefined> {
  private readonly byName: ReadonlyMap<string, Group>
  private readonly inOrder: Iterator<Group>
  private byId: Map<string, Group> | undefined

  constructor(byName: ReadonlyMap<string, Group>) {
    this.byName = byName
    this.inOrder = byName.values()
  }

  named(name: string): Group | undefined {
    return this.byName.get(name)
  }

  identified(payload: Buffer, at: number): Group | undefined {
    // Few topics are answered in the order of the request, many in any order: only then they are looked up.
    const next: Group | undefined = this.inOrder.next().value
    const end = at + TOPIC_ID_BYTES
    if (next !== undefined && idOf(next).compare(payload, at, end) === 0) return next
    this.byId ??= new Map([...this.byName.values()].map(group => [idOf(group).toString('latin1'), group]))
    return this.byId.get(payload.toString('latin1', at, end))
  }

  answered(group: Group | undefined, answer: PartitionAnswer): void {
    const inFlightBatch = group === undefined ? undefined : inFlightBatchOf(group, answer.index)
    if (inFlightBatch !== undefined) inFlightBatch.answer = answer
  }
}

/** Of a request that goes by ids. */
const idOf = (group: Group): Buffer => group[0]!.topicId!

/** A request's batches of one topic stand in the order of their partitions. */
const inFlightBatchOf = (inFlightBatches: Group, partition: number): InFlightBatch | undefined => {
  let from = 0
  let to = inFlightBatches.length - 1
  while (from <= to) {
    const middle = (from + to) >>> 1
    const found = inFlightBatches[middle]!
    if (found.partition === partition) return found
    if (found.partition < partition) from = middle + 1
    else to = middle - 1
  }
  return undefined
}
