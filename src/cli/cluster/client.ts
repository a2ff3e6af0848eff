import { Kafka } from 'kafkajs'
import { BrokersUnreachableError, type WaitOptions } from 'kafkajs-resilient-producer'
import { encodeQuery, METADATA_MAX_VERSION } from '../../metadata/requests/query.js'
import { NotYet, onSchedule } from '../../metadata/retry/schedule.js'
import type { Api } from '../../protocol/api.js'
import { describeConfigsApi } from '../../protocol/messages/describeConfigs.js'
import { metadataApi } from '../../protocol/messages/metadata.js'
import type { Decoded, Encodable } from '../../protocol/wire/codec.js'
import { createTransport } from '../../transport/index.js'
import type { BrokerAddress, ControlTarget, Transport } from '../../transport/port.js'
import type { Connection } from '../connection/resolve.js'
import type { LogConfig } from '../logs.js'
import { Verdict } from './verdict.js'

/** One request. ms */
const REQUEST_TIMEOUT_MS = 10_000
/** Asking again after failures that may pass. ms */
const PATIENCE_MS = 30_000
/** So that an answer stays far below a broker's limits. */
const NAMES_PER_REQUEST = 500

const ANY: ControlTarget = { anyBut: undefined }
const RETRY = { retries: 1000, minTimeoutMs: 100, maxTimeoutMs: 1000, factor: 2, jitter: true }

export interface DescribedTopic {
  readonly name: string
  readonly errorCode: number
  readonly partitions: readonly {
    readonly errorCode: number
    readonly partitionIndex: number
    readonly leaderId: number
    readonly replicaNodes: readonly number[]
    readonly isrNodes: readonly number[]
  }[]
}

export interface AskOptions {
  /** Default: any broker. */
  readonly target?: ControlTarget
  /** Default 10000 ms. */
  readonly timeoutMs?: number
  readonly maxVersion?: number
}

export interface Setting {
  readonly value: string | null
  /** As DescribeConfigs says where it comes from; -1: it did not say. */
  readonly source: number
  /** As DescribeConfigs says it; 0: it did not say. */
  readonly type: number
}

/**
 * The cluster as the commands ask it: by requests of our own, because kafkajs's admin asks for all topics where it need not, and
 * knows no change of a single setting.
 */
export class ClusterClient {
  readonly transport: Transport
  readonly kafka: Kafka
  brokers: readonly BrokerAddress[] = []
  controllerId = -1
  private readonly closing = new AbortController()

  constructor({ kafka: config }: Connection, log: LogConfig) {
    this.kafka = new Kafka({ ...config, ...log })
    this.transport = createTransport(this.kafka)
  }

  /** @throws {BrokersUnreachableError} or what no other broker would mend */
  async connect({ timeoutMs = PATIENCE_MS, signal }: WaitOptions = {}): Promise<void> {
    await onSchedule(() => this.refresh([], { timeoutMs: Math.min(timeoutMs, REQUEST_TIMEOUT_MS) }), {
      retry: { ...RETRY, maxRetryTimeMs: timeoutMs },
      signal: signal ?? this.closing.signal,
      onRetry: () => {},
      exhausted: end => new BrokersUnreachableError('No broker answered', end),
    })
  }

  /** Asks for the brokers, and which of them is the controller, anew. */
  async relearn(): Promise<void> {
    await this.refresh([])
  }

  /**
   * What brokers know of these topics; it never creates one. Asks once, as the others below: see {@link retrying}.
   *
   * @throws {NotYet} where one is just being created
   */
  async topics(names: readonly string[], target = ANY): Promise<Map<string, DescribedTopic>> {
    const found = new Map<string, DescribedTopic>()
    for (const chunk of chunksOf(names)) {
      for (const topic of await this.refresh(chunk, { target })) found.set(topic.name, topic)
    }
    return found
  }

  /**
   * The settings of topics or of one broker, by resource and name; `null` names: all settings.
   *
   * @throws {Verdict} where one of them may not be described; {@link NotYet} where that may change
   */
  async settings(
    resourceType: number,
    resources: readonly { readonly name: string; readonly keys: readonly string[] | null }[],
    target = ANY,
  ): Promise<Map<string, Map<string, Setting>>> {
    const found = new Map<string, Map<string, Setting>>()
    for (const chunk of chunksOf(resources)) {
      const wanted = chunk.map(({ name, keys }) => ({
        resourceType,
        resourceName: name,
        configurationKeys: keys,
      }))
      const results = await this.describeConfigs(wanted, target)
      for (const { resourceName, configs } of results) {
        found.set(
          resourceName,
          new Map(
            configs.map(({ name, value, configSource: source, configType: type }) => [
              name,
              { value, source, type },
            ]),
          ),
        )
      }
    }
    return found
  }

  /** One request to the controller, which brokers on KRaft let any of them stand in for. */
  askController<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
  ): Promise<Response> {
    return this.ask(api, body, { target: this.controllerId >= 0 ? { node: this.controllerId } : ANY })
  }

  async ask<ReqIn, Response>(
    api: Api<unknown, ReqIn, Response, never>,
    body: (version: number) => ReqIn,
    { target = ANY, timeoutMs = REQUEST_TIMEOUT_MS, maxVersion }: AskOptions = {},
  ): Promise<Response> {
    const { response } = await this.transport.control(api, body, { target, timeoutMs }, maxVersion)
    return response
  }

  /** Repeats after failures of the network and after `NotYet`. */
  retrying<T>(attempt: () => Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
    return onSchedule(attempt, {
      retry: { ...RETRY, maxRetryTimeMs: patienceMs },
      signal: this.closing.signal,
      onRetry: () => {},
      exhausted: ({ cause }) => cause,
    })
  }

  async close(): Promise<void> {
    this.closing.abort(new Error('closed'))
    await this.transport.close()
  }

  private async describeConfigs(
    resources: Encodable<typeof describeConfigsApi.request>['resources'],
    target: ControlTarget,
  ): Promise<Decoded<typeof describeConfigsApi.response>['results']> {
    const { results } = await this.ask(describeConfigsApi, () => ({ resources }), { target })
    const failed = results.find(each => each.errorCode !== 0)
    if (failed === undefined) return results
    const { resourceName, errorCode, errorMessage } = failed
    const verdict = new Verdict(`the settings of ${resourceName} cannot be read`, errorCode, errorMessage)
    // A topic that one broker knows may be news to another.
    throw verdict.retriable ? new NotYet(verdict) : verdict
  }

  private async refresh(
    names: readonly string[],
    { target = ANY, timeoutMs = REQUEST_TIMEOUT_MS }: AskOptions = {},
  ): Promise<readonly DescribedTopic[]> {
    const [first, ...others] = names
    const query =
      first === undefined ? ('brokers-only' as const) : { names: [first, ...others] as const, create: false }
    const { brokers, controllerId, topics } = await this.ask(
      metadataApi,
      version => encodeQuery(query, version),
      { target, timeoutMs, maxVersion: METADATA_MAX_VERSION },
    )
    if (brokers.length === 0) throw new NotYet(new Error('the broker does not know its cluster yet'))
    this.brokers = brokers
    this.controllerId = controllerId
    this.transport.setBrokers(brokers)
    const named = topics.flatMap(topic => (topic.name === null ? [] : [{ ...topic, name: topic.name }]))
    const becoming = named.find(each => each.errorCode === LEADER_NOT_AVAILABLE)
    if (becoming) {
      throw new NotYet(new Verdict(`the topic ${becoming.name} is being created`, becoming.errorCode, null))
    }
    return named
  }
}

const LEADER_NOT_AVAILABLE = 5

function* chunksOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += NAMES_PER_REQUEST) {
    yield items.slice(start, start + NAMES_PER_REQUEST)
  }
}
