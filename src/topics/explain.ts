import type { Logger } from 'kafkajs'
import { isRemoteFailure } from '../metadata/retry/failure.js'
import { ERROR, type ErrorCode, errorCode } from '../protocol/errorCodes.js'
import { createTopicsApi } from '../protocol/messages/createTopics.js'
import type { Transport } from '../transport/port.js'
import { Coalescer } from './creation/coalescer.js'
import { encodeValidation } from './creation/createTopicsQuery.js'

/**
 * What the controller says of a topic that brokers do not know:
 * - `refused`: why it cannot be created, in the cluster's own words.
 * - `exists`: it is created, and brokers have not heard of it yet.
 * - `absent`: nobody has created it so far. A controller that tells only that this principal may not create topics (29, 31)
 *   would have had brokers tell the same (Metadata answers 29) if they created topics.
 * - `untold`: the controller was not reached, or said something else.
 */
export type Explanation =
  | { readonly kind: 'refused'; readonly verdict: ErrorCode; readonly reason: string | null }
  | { readonly kind: 'exists' | 'absent' | 'untold' }

export interface ExplainerOptions {
  readonly transport: Pick<Transport, 'control'>
  readonly controllerId: () => number
  readonly logger: Logger
  /** ms */
  readonly requestTimeoutMs: number
}

/**
 * INVALID_TOPIC_EXCEPTION (a name collision, too), INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR, INVALID_CONFIG,
 * POLICY_VIOLATION.
 */
const REFUSALS: ReadonlySet<number> = new Set([17, 37, 38, 40, 44])
const ABSENT: ReadonlySet<number> = new Set([
  ERROR.NONE,
  ERROR.TOPIC_AUTHORIZATION_FAILED,
  ERROR.CLUSTER_AUTHORIZATION_FAILED,
])
const UNTOLD: Explanation = { kind: 'untold' }

/** Few enough to stay below the 10,000 partitions of one request, whatever the default number of partitions is. */
const TOPICS_PER_REQUEST = 100

/** Asks why auto-creation does not bring a topic about: CreateTopics with validateOnly, which creates nothing. */
export class CreationExplainer {
  readonly #options: ExplainerOptions
  readonly #coalescer: Coalescer<string, Explanation>

  constructor(options: ExplainerOptions) {
    this.#options = options
    this.#coalescer = new Coalescer(names => this.#askInChunks(names))
  }

  explain(topic: string): Promise<Explanation> {
    return this.#coalescer.ask(topic)
  }

  async #askInChunks(names: readonly string[]): Promise<readonly Explanation[]> {
    const explanations: Explanation[] = []
    for (let start = 0; start < names.length; start += TOPICS_PER_REQUEST)
      explanations.push(...(await this.#ask(names.slice(start, start + TOPICS_PER_REQUEST))))
    return explanations
  }

  async #ask(names: readonly string[]): Promise<readonly Explanation[]> {
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
        if (!result) return UNTOLD
        const verdict = errorCode(result.errorCode)
        logger.debug('Cluster asked why a topic is not created', {
          topic: name,
          answer: verdict.type,
          reason: result.errorMessage,
        })
        return explanationOf(result.errorCode, result.errorMessage)
      })
    } catch (error) {
      if (!isRemoteFailure(error)) throw error
      logger.debug('Cluster not asked why topics are not created', { topics: names, error: error.message })
      return names.map(() => UNTOLD)
    }
  }
}

const explanationOf = (code: number, reason: string | null): Explanation => {
  if (REFUSALS.has(code)) return { kind: 'refused', verdict: errorCode(code), reason }
  if (code === ERROR.TOPIC_ALREADY_EXISTS) return { kind: 'exists' }
  return ABSENT.has(code) ? { kind: 'absent' } : UNTOLD
}
