import kafkajs from 'kafkajs'
import { metadataApi } from '../../protocol/messages/metadata.js'
import type { ControlAnswer, Transport } from '../../transport/port.js'
import type { MetadataCache } from '../cache/cache.js'
import type { MetadataResponse } from '../cache/view.js'
import { adoptLateAnswer } from './answer.js'
import { askHedged } from './hedge.js'
import { throwIfMisunderstood } from './misunderstanding.js'
import { encodeQuery, METADATA_MAX_VERSION, type MetadataQuery } from './query.js'

export interface MetadataRequestsParts {
  readonly transport: Pick<Transport, 'control'>
  readonly cache: MetadataCache
  /** ms */
  readonly requestTimeoutMs: number
}

export interface AnsweredQuery {
  readonly answer: ControlAnswer<MetadataResponse>
  /** The query that this is the answer to: a late one is asked again without the flag to create. */
  readonly sent: MetadataQuery
}

/** Each request that is not answered gives the next one twice the time, up to so many times the first one's. */
const LONGEST_TIMEOUT_FACTOR = 10

/** A request without an answer for this long is also sent to another broker. ms */
const LATE_AFTER_MS = 250

/** Sends a metadata request to a broker, and to another one where the first is late. */
export class MetadataRequests {
  readonly #parts: MetadataRequestsParts
  readonly #isClosed: () => boolean
  /** Requests in a row that nobody answered in time. */
  #unanswered = 0

  constructor(parts: MetadataRequestsParts, isClosed: () => boolean) {
    this.#parts = parts
    this.#isClosed = isClosed
  }

  /** @throws the transport's error when no broker answers */
  async send(query: MetadataQuery, avoidNode: number | undefined): Promise<AnsweredQuery> {
    try {
      return await this.#ask(query, avoidNode)
    } catch (error) {
      if (error instanceof kafkajs.KafkaJSRequestTimeoutError) this.#unanswered++
      throw error
    }
  }

  /**
   * Where the request is late, another broker is asked, too; one that may be creating the topics, only slowly,
   * by a request without the flag, so that they are not created once more.
   */
  async #ask(query: MetadataQuery, avoidNode: number | undefined): Promise<AnsweredQuery> {
    const { cache } = this.#parts
    if (query === 'brokers-only' || !query.create)
      return { answer: await this.#send(query, avoidNode, LATE_AFTER_MS), sent: query }
    const withoutFlag: MetadataQuery = { ...query, create: false }
    const { answer, attempt } = await askHedged({
      lateAfterMs: LATE_AFTER_MS,
      send: each =>
        each === 'first'
          ? this.#send(query, avoidNode, undefined)
          : this.#send(withoutFlag, avoidNode, LATE_AFTER_MS),
      canHedge: () => cache.brokers.length !== 1 && !this.#isClosed(),
      onLateAnswer: ({ response }) => {
        if (!this.#isClosed()) adoptLateAnswer(query.names, response, cache)
      },
    })
    return { answer, sent: attempt === 'first' ? query : withoutFlag }
  }

  async #send(
    query: MetadataQuery,
    avoidNode: number | undefined,
    besideMs: number | undefined,
  ): Promise<ControlAnswer<MetadataResponse>> {
    const { transport, requestTimeoutMs } = this.#parts
    const answer = await transport.control(
      metadataApi,
      version => encodeQuery(query, version),
      {
        target: { anyBut: avoidNode },
        // Who answers late must be able to answer at all.
        timeoutMs: requestTimeoutMs * Math.min(LONGEST_TIMEOUT_FACTOR, 2 ** this.#unanswered),
        ...(besideMs !== undefined && { besideMs }),
      },
      METADATA_MAX_VERSION,
    )
    this.#unanswered = 0
    throwIfMisunderstood(query, answer)
    // A broker that is starting knows nobody yet: its answer would make every topic look deleted.
    if (answer.response.brokers.length === 0)
      throw new kafkajs.KafkaJSError(`broker ${answer.nodeId} answered metadata without any broker`)
    return answer
  }
}
