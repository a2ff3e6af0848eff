import type { Logger } from 'kafkajs'
import {
  InvalidTopicError,
  TopicAuthorizationError,
  TopicCreationError,
  UnsupportedApiError,
} from '../../errors/index.js'
import { NotYet } from '../../metadata/retry/schedule.js'
import { ERROR, errorCode } from '../../protocol/errorCodes.js'
import { createTopicsApi } from '../../protocol/messages/createTopics.js'
import type { Transport } from '../../transport/port.js'
import { isError } from '../../util/realms.js'
import { Coalescer } from './coalescer.js'
import { encodeCreation, type NewTopic, NoBrokerDefaultsError } from './createTopicsQuery.js'

export interface CreatorOptions {
  readonly transport: Pick<Transport, 'control'>
  /** The controller by the newest metadata, -1 when unknown. KRaft brokers name any broker and forward. */
  readonly controllerId: () => number
  readonly logger: Logger
}

/** A broker refuses more than 10,000 partitions in one request with POLICY_VIOLATION. */
const PARTITIONS_PER_REQUEST = 9_999

/** What -1 partitions count as; where the broker's default is higher, the request is split when it is refused. */
const ASSUMED_DEFAULT_PARTITIONS = 4

const TOO_MANY_PER_REQUEST = /partitions per request/i

/** How long the controller may wait for the topics. Later is not lost: metadata is asked until they are there. ms */
const CREATION_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 15_000

interface Result {
  readonly code: number
  readonly message: string | null
}

/** Creates the missing topics of one moment in one CreateTopics request. */
export class TopicCreator {
  readonly #options: CreatorOptions
  readonly #coalescer: Coalescer<NewTopic, Result>
  /** Until then a quota asks for no more topics (KIP-599). ms, performance.now() */
  #throttledUntil = 0

  constructor(options: CreatorOptions) {
    this.#options = options
    this.#coalescer = new Coalescer(topics => this.#createInChunks(topics))
  }

  /**
   * Creates one topic. A topic that exists already is as good as created.
   *
   * @throws {NotYet} when asking again can help: a quota, another controller, a time-out; the transport's errors
   * @throws {TopicCreationError | TopicAuthorizationError | InvalidTopicError} the cluster's refusal
   */
  async create(topic: NewTopic): Promise<'created' | 'existed'> {
    if (performance.now() < this.#throttledUntil) throw new NotYet(creationError(topic.name, throttled))
    const result = await this.#ask(topic)
    if (result.code === ERROR.NONE) return 'created'
    if (result.code === ERROR.TOPIC_ALREADY_EXISTS) return 'existed'
    const error = creationError(topic.name, result)
    throw errorCode(result.code).retriable ? new NotYet(error) : error
  }

  async #ask(topic: NewTopic): Promise<Result> {
    try {
      return await this.#coalescer.ask(topic)
    } catch (error) {
      if (!isError(error)) throw error
      // One error for all topics of a request: each gets its own, which names it.
      if (error instanceof UnsupportedApiError)
        throw new TopicCreationError(
          topic.name,
          errorCode(ERROR.UNSUPPORTED_VERSION),
          `${error.problem}. ${CREATE_OTHERWISE}`,
          { cause: error },
        )
      if (error instanceof NoBrokerDefaultsError)
        throw new TopicCreationError(topic.name, errorCode(ERROR.UNSUPPORTED_VERSION), error.message, {
          cause: error,
        })
      throw error
    }
  }

  async #createInChunks(topics: readonly NewTopic[]): Promise<readonly Result[]> {
    const results: Result[] = []
    for (const chunk of chunksOf(topics)) results.push(...(await this.#create(chunk)))
    return results
  }

  async #create(topics: readonly NewTopic[]): Promise<readonly Result[]> {
    const results = await this.#request(topics)
    const tooMany = results.every(
      each =>
        errorCode(each.code).type === 'POLICY_VIOLATION' && TOO_MANY_PER_REQUEST.test(each.message ?? ''),
    )
    if (!tooMany || topics.length === 1) return results
    const half = Math.ceil(topics.length / 2)
    return [...(await this.#create(topics.slice(0, half))), ...(await this.#create(topics.slice(half)))]
  }

  async #request(topics: readonly NewTopic[]): Promise<readonly Result[]> {
    const { transport, controllerId, logger } = this.#options
    const controller = controllerId()
    const { response, nodeId } = await transport.control(
      createTopicsApi,
      version => encodeCreation(topics, CREATION_TIMEOUT_MS, version),
      {
        target: controller >= 0 ? { node: controller } : { anyBut: undefined },
        timeoutMs: REQUEST_TIMEOUT_MS,
      },
    )
    const byName = new Map(response.topics.map(each => [each.name, each]))
    const results = topics.map(({ name }): Result => {
      const result = byName.get(name)
      // A topic that the broker left out of its answer may have been created: metadata will tell.
      return result ? { code: result.errorCode, message: result.errorMessage } : timedOut
    })
    if (results.some(each => each.code === ERROR.THROTTLING_QUOTA_EXCEEDED))
      this.#throttledUntil = performance.now() + response.throttleTimeMs
    logger.debug('Topics created', {
      nodeId,
      outcomes: Object.fromEntries(
        topics.map(({ name }, index) => [name, outcomeType(results[index]!.code)]),
      ),
    })
    return results
  }
}

const CREATE_OTHERWISE =
  "Create the topic beforehand, or let the brokers create it (topics: { create: 'broker' })."

const throttled: Result = { code: ERROR.THROTTLING_QUOTA_EXCEEDED, message: null }
const timedOut: Result = { code: ERROR.REQUEST_TIMED_OUT, message: null }

const outcomeType = (code: number): string => (code === ERROR.NONE ? 'created' : errorCode(code).type)

const creationError = (topic: string, { code, message }: Result): Error => {
  const verdict = errorCode(code)
  if (code === ERROR.INVALID_TOPIC_EXCEPTION) return new InvalidTopicError(topic, message ?? verdict.message)
  const unauthorized =
    code === ERROR.TOPIC_AUTHORIZATION_FAILED || code === ERROR.CLUSTER_AUTHORIZATION_FAILED
  if (unauthorized) return new TopicAuthorizationError(topic)
  return new TopicCreationError(topic, verdict, message)
}

const chunksOf = (topics: readonly NewTopic[]): readonly (readonly NewTopic[])[] => {
  const chunks: NewTopic[][] = []
  let room = 0
  for (const topic of topics) {
    const partitions = topic.partitions > 0 ? topic.partitions : ASSUMED_DEFAULT_PARTITIONS
    const chunk = chunks.at(-1)
    if (chunk && partitions <= room) {
      chunk.push(topic)
      room -= partitions
    } else {
      chunks.push([topic])
      room = PARTITIONS_PER_REQUEST - partitions
    }
  }
  return chunks
}
