import type { Logger } from 'kafkajs'
import { isRemoteFailure } from '../metadata/failure.js'
import { type ErrorCode, errorCode } from '../protocol/errorCodes.js'
import { createTopicsApi } from '../protocol/messages/createTopics.js'
import type { Transport } from '../transport/port.js'
import { Coalescer } from './coalescer.js'
import { encodeValidation } from './createTopicsQuery.js'

/** Why the cluster cannot create a topic, in its own words. */
export interface Refusal {
  readonly verdict: ErrorCode
  readonly reason: string | null
}

export interface ExplainerOptions {
  readonly transport: Pick<Transport, 'control'>
  readonly controllerId: () => number
  readonly logger: Logger
  /** ms */
  readonly requestTimeoutMs: number
}

/**
 * INVALID_TOPIC_EXCEPTION (a name collision, too), INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG,
 * POLICY_VIOLATION. Any other answer says nothing about auto-creation: a principal may be allowed to auto-create
 * and not to validate.
 */
const DEFINITE: ReadonlySet<number> = new Set([17, 37, 38, 40, 44])

/** Few enough to stay below the 10,000 partitions of one request, whatever the default number of partitions is. */
const TOPICS_PER_REQUEST = 100

/** Asks why auto-creation does not bring a topic about: CreateTopics with validateOnly, which creates nothing. */
export class CreationExplainer {
  readonly #options: ExplainerOptions
  readonly #coalescer: Coalescer<string, Refusal | undefined>

  constructor(options: ExplainerOptions) {
    this.#options = options
    this.#coalescer = new Coalescer(names => this.#askInChunks(names))
  }

  /** @returns undefined when the cluster knows nothing against the topic, or does not tell */
  explain(topic: string): Promise<Refusal | undefined> {
    return this.#coalescer.ask(topic)
  }

  async #askInChunks(names: readonly string[]): Promise<readonly (Refusal | undefined)[]> {
    const refusals: (Refusal | undefined)[] = []
    for (let start = 0; start < names.length; start += TOPICS_PER_REQUEST)
      refusals.push(...(await this.#ask(names.slice(start, start + TOPICS_PER_REQUEST))))
    return refusals
  }

  async #ask(names: readonly string[]): Promise<readonly (Refusal | undefined)[]> {
    const { transport, controllerId, logger, requestTimeoutMs } = this.#options
    const controller = controllerId()
    try {
      const { response } = await transport.control(
        createTopicsApi,
        version => encodeValidation(names, requestTimeoutMs, version),
        {
          target: controller >= 0 ? { node: controller } : { anyBut: undefined },
          timeoutMs: requestTimeoutMs,
        },
      )
      const byName = new Map(response.topics.map(each => [each.name, each]))
      return names.map(name => {
        const result = byName.get(name)
        if (!result) return undefined
        const verdict = errorCode(result.errorCode)
        logger.debug('Cluster asked why a topic is not created', {
          topic: name,
          answer: verdict.type,
          reason: result.errorMessage,
        })
        return DEFINITE.has(result.errorCode) ? { verdict, reason: result.errorMessage } : undefined
      })
    } catch (error) {
      if (!isRemoteFailure(error)) throw error
      logger.debug('Cluster not asked why topics are not created', { topics: names, error: error.message })
      return names.map(() => undefined)
    }
  }
}
